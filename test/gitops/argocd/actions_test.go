package argocd

import (
	"maps"
	"slices"
	"testing"

	applicationpkg "github.com/argoproj/argo-cd/v3/pkg/apiclient/application"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	jsonpatch "github.com/evanphx/json-patch"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/trustbuilder-mfa/operator/test/gitops/states"
)

// offered are the actions that Argo CD offers on an object and can be chosen.
func offered(g Gomega, vm lua.VM, object *unstructured.Unstructured) map[string]v1alpha1.ResourceAction {
	scripts, err := vm.GetResourceActionDiscovery(object)
	g.Expect(err).NotTo(HaveOccurred())
	actions, err := vm.ExecuteResourceActionDiscovery(object, scripts)
	g.Expect(err).NotTo(HaveOccurred())
	enabled := map[string]v1alpha1.ResourceAction{}
	for _, action := range actions {
		g.Expect(action.DisplayName).NotTo(BeEmpty(), action.Name)
		_, err := vm.GetResourceAction(object, action.Name)
		g.Expect(err).NotTo(HaveOccurred(), "what is offered is there: %s", action.Name)
		if !action.Disabled {
			enabled[action.Name] = action
		}
	}
	return enabled
}

// TestActionsThatFit: an action that the operator would not act on is not offered.
func TestActionsThatFit(t *testing.T) {
	var (
		all       = []string{"issue-code", "reconcile", "suspend"}
		noCode    = []string{"reconcile", "suspend"}
		leaving   = []string{"reconcile"}
		suspended = []string{"resume"}
	)
	cases := map[string][]string{
		"mfauser/reconciled":            all,
		"mfauser/enrolled":              all,
		"mfauser/pin-blocked":           all,
		"mfauser/code-expired":          all,
		"mfauser/code-refused":          all,
		"mfauser/blocked":               noCode,
		"mfauser/unheard-of":            noCode,
		"mfauser/changes-pending":       noCode,
		"mfauser/code-issuing":          noCode,
		"mfauser/code-unanswered":       noCode,
		"mfauser/not-seen":              noCode,
		"mfauser/not-created":           noCode,
		"mfauser/account-conflict":      noCode,
		"mfauser/suspended":             suspended,
		"mfauser/suspended-not-created": suspended,
		"mfauser/deleting":              leaving,
		"mfauser/deleting-held":         leaving,

		"mfaconnection/not-seen":       {"reconcile"},
		"mfaconnection/reconciled":     {"reconcile"},
		"mfaconnection/token-rejected": {"reconcile"},
		"mfaconnection/changes-held":   {"approve-removals", "reconcile"},
	}
	vm, recorded := lua.VM{ResourceOverrides: overrides(t)}, states.All(t)
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(recorded).To(HaveKey(name))
			g.Expect(slices.Sorted(maps.Keys(offered(g, vm, recorded[name].Object)))).To(Equal(want))
		})
	}
	t.Run("none fails", func(t *testing.T) {
		for _, state := range recorded {
			offered(NewWithT(t), vm, state.Object)
		}
	})
}

// TestActions compares the patch that Argo CD sends for an action.
func TestActions(t *testing.T) {
	const now = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
	annotation := func(name, value string) string {
		return `^{"metadata":{"annotations":{"trustbuilder-mfa\.dev/` + name + `":"` + value + `"}}}$`
	}
	code := func(purpose string) string { return annotation("issue-code", purpose+"/argocd-"+now) }
	cases := map[string]struct {
		state, action, parameter, value string
		patch, refusal                  string
	}{
		"reconcile":                    {state: "mfauser/denied", action: "reconcile", patch: annotation("reconcile-requested-at", now)},
		"suspend":                      {state: "mfauser/reconciled", action: "suspend", patch: `^{"spec":{"suspend":true}}$`},
		"resume":                       {state: "mfauser/suspended", action: "resume", patch: `^{"spec":{"suspend":null}}$`},
		"code for who is new":          {state: "mfauser/reconciled", action: "issue-code", patch: code("Enrollment")},
		"code for who has none":        {state: "mfauser/code-expired", action: "issue-code", patch: code("Enrollment")},
		"code for who is enrolled":     {state: "mfauser/enrolled", action: "issue-code", patch: code("AddDevice")},
		"code for who forgot the PIN":  {state: "mfauser/pin-blocked", action: "issue-code", patch: code("Unlock")},
		"code with an empty purpose":   {state: "mfauser/enrolled", action: "issue-code", parameter: "purpose", patch: code("AddDevice")},
		"lost phone":                   {state: "mfauser/enrolled", action: "issue-code", parameter: "purpose", value: "Restore", patch: code("Restore")},
		"PIN remembered":               {state: "mfauser/pin-blocked", action: "issue-code", parameter: "purpose", value: "PINErrors", patch: code("PINErrors")},
		"misspelt purpose":             {state: "mfauser/enrolled", action: "issue-code", parameter: "purpose", value: "restore", refusal: "purpose must be"},
		"code for who is blocked":      {state: "mfauser/blocked", action: "issue-code", refusal: "no code is of use to an account that is Blocked"},
		"code for who is not there":    {state: "mfauser/not-seen", action: "issue-code", refusal: "no code is of use to an account that is Unknown"},
		"connection":                   {state: "mfaconnection/reconciled", action: "reconcile", patch: annotation("reconcile-requested-at", now)},
		"approval":                     {state: "mfaconnection/changes-held", action: "approve-removals", parameter: "number", value: "25", patch: annotation("approve-removals", "25/argocd-"+now)},
		"approval of a number of none": {state: "mfaconnection/changes-held", action: "approve-removals", refusal: "number must say"},
		"approval of everything":       {state: "mfaconnection/changes-held", action: "approve-removals", parameter: "number", value: "all", refusal: "number must say"},
		"approval of half a removal":   {state: "mfaconnection/changes-held", action: "approve-removals", parameter: "number", value: "1.5", refusal: "number must say"},
		"approval of too many":         {state: "mfaconnection/changes-held", action: "approve-removals", parameter: "number", value: "1001", refusal: "number must say"},
	}
	vm := lua.VM{ResourceOverrides: overrides(t)}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			object := states.All(t)[tc.state].Object
			var parameters []*applicationpkg.ResourceActionParameters
			if tc.parameter != "" {
				parameters = append(parameters, &applicationpkg.ResourceActionParameters{Name: &tc.parameter, Value: &tc.value})
			}
			action, err := vm.GetResourceAction(object, tc.action)
			g.Expect(err).NotTo(HaveOccurred())

			impacted, err := vm.ExecuteResourceAction(object, action.ActionLua, parameters)

			if tc.refusal != "" {
				g.Expect(err).To(MatchError(ContainSubstring(tc.refusal)))
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(impacted).To(HaveLen(1))
			g.Expect(impacted[0].K8SOperation).To(Equal(lua.PatchOperation))
			g.Expect(patch(g, object, impacted[0].UnstructuredObj)).To(MatchRegexp(tc.patch))
		})
	}
}

// patch is what Argo CD's API server sends: the difference, and nothing else of the object.
func patch(g Gomega, before, after *unstructured.Unstructured) string {
	old, err := before.MarshalJSON()
	g.Expect(err).NotTo(HaveOccurred())
	new, err := after.MarshalJSON()
	g.Expect(err).NotTo(HaveOccurred())
	out, err := jsonpatch.CreateMergePatch(old, new)
	g.Expect(err).NotTo(HaveOccurred())
	return string(out)
}
