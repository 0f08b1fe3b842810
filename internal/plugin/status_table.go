package plugin

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"
)

var statusColumns = []metav1.TableColumnDefinition{
	{Name: "Namespace", Type: "string"}, {Name: "Name", Type: "string"}, {Name: "Login", Type: "string"},
	{Name: "State", Type: "string"}, {Name: "Code", Type: "string"}, {Name: "Ready", Type: "string"},
	{Name: "Reason", Type: "string"}, {Name: "Age", Type: "string"},
	{Name: "Connection", Type: "string", Priority: 1}, {Name: "Account", Type: "string", Priority: 1},
	{Name: "Code Expires", Type: "string", Priority: 1}, {Name: "Message", Type: "string", Priority: 1},
}

func (v *statusView) table(report *statusReport) error {
	now := v.Clock.Now()
	table := &metav1.Table{ColumnDefinitions: statusColumns}
	for n := range report.Users {
		user := &report.Users[n]
		table.Rows = append(table.Rows, metav1.TableRow{Cells: []any{
			user.Namespace, user.Name, user.Login, user.State, user.Code, user.Ready, user.Reason,
			duration.HumanDuration(now.Sub(user.Created.Time)),
			user.Connection, user.AccountID, until(user.CodeExpiresAt, now), user.Message,
		}})
	}
	printer := printers.NewTablePrinter(printers.PrintOptions{Wide: v.output == "wide"})
	if err := printer.PrintObj(table, v.Out); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	fmt.Fprintln(v.Out)
	fmt.Fprintln(v.Out, report.Counts.text())
	return nil
}

// until says when something ends, from now.
func until(at *metav1.Time, now time.Time) string {
	switch {
	case at == nil:
		return ""
	case at.After(now):
		return "in " + duration.HumanDuration(at.Sub(now))
	}
	return duration.HumanDuration(now.Sub(at.Time)) + " ago"
}

// text is the line of counts below the table.
func (c statusCounts) text() string {
	parts := []string{fmt.Sprintf("%d users, %d ready", c.Total, c.Ready)}
	for _, counted := range []struct {
		what   string
		values map[string]int
	}{{"not ready", c.Reasons}, {"states", c.States}, {"codes", c.Codes}} {
		if len(counted.values) > 0 {
			parts = append(parts, counted.what+": "+countText(counted.values))
		}
	}
	return strings.Join(parts, "; ")
}

func countText(counts map[string]int) string {
	words := make([]string, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(words, ", ")
}
