package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/trustbuilder-mfa/operator/internal/plan"
)

// planReport is what -o json and -o yaml give.
type planReport struct {
	Items    []plan.Item `json:"items"`
	Warnings []string    `json:"warnings,omitempty"`
}

func (r *planReport) count(actions ...plan.Action) (n int) {
	for i := range r.Items {
		for _, action := range actions {
			if r.Items[i].Action == action {
				n++
			}
		}
	}
	return n
}

func (r *planReport) changes() (n int) {
	for i := range r.Items {
		if r.Items[i].Acts() {
			n++
		}
	}
	return n
}

// refuses tells whether the operator would refuse one of the users, in whole or in part.
func (r *planReport) refuses() bool {
	return slices.ContainsFunc(r.Items, func(i plan.Item) bool { return i.Reason != "" })
}

func (p *planner) print(report *planReport) error {
	if p.output != "" {
		return printAs(p.Out, p.output, report)
	}
	for n := range report.Items {
		if item := &report.Items[n]; item.Action != plan.Nothing || len(item.Notes)+len(item.Changes) > 0 {
			printItem(p.Out, item)
		}
	}
	for _, warning := range report.Warnings {
		fmt.Fprintf(p.Out, "\n! %s\n", warning)
	}
	fmt.Fprintf(p.Out, "\nPlan: %d to create, %d to update, %d to block, %d to delete, %d codes, %d unchanged, %d refused.\n",
		report.count(plan.Create), report.count(plan.Update), report.count(plan.Block), report.count(plan.Delete),
		report.count(plan.Code), report.count(plan.Nothing), report.count(plan.Refused))
	return nil
}

var signs = map[plan.Action]string{
	plan.Create: "+", plan.Update: "~", plan.Block: "-", plan.Delete: "-", plan.Code: "*", plan.Nothing: " ", plan.Refused: "!",
}

func printItem(out io.Writer, item *plan.Item) {
	fmt.Fprintf(out, "%s %s %s/%s (%s)\n", signs[item.Action], strings.ToLower(string(item.Action)), item.Namespace, item.Name, item.Login)
	for _, change := range item.Changes {
		if item.Action == plan.Create {
			fmt.Fprintf(out, "    %s: %q\n", change.Field, change.To)
			continue
		}
		fmt.Fprintf(out, "    %s: %q → %q\n", change.Field, change.From, change.To)
	}
	for _, note := range item.Notes {
		fmt.Fprintf(out, "    %s\n", note)
	}
	if item.Reason != "" {
		fmt.Fprintf(out, "    %s: %s\n", item.Reason, item.Message)
	}
}

// printAs writes a report for programs.
func printAs(out io.Writer, format string, report any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(report); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if format == "yaml" {
		inYAML, err := yaml.JSONToYAML(text.Bytes())
		if err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		text = *bytes.NewBuffer(inYAML)
	}
	_, err := text.WriteTo(out)
	return err
}
