package plugin

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
	"github.com/trustbuilder-mfa/operator/internal/plan"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// planned runs kubectl mfa plan and returns what it says of each user.
func (w *world) planned(args ...string) map[string]plan.Item {
	w.t.Helper()
	got := w.mfa(append([]string{"plan", "-o", "json"}, args...)...)
	w.g.Expect(got.code).To(BeElementOf(0, 1, 3), got.err)
	var report struct{ Items []plan.Item }
	w.g.Expect(json.Unmarshal([]byte(got.out), &report)).To(Succeed())
	items := map[string]plan.Item{}
	for _, item := range report.Items {
		items[item.Name] = item
	}
	return items
}

// scene is one MFAUser, the account that is there before it, and what is to come of the two.
type scene struct {
	account *mfasim.Account
	edit    func(*v1alpha1.MFAUser)
	action  plan.Action
	changes string
	reason  string
}

type user = *v1alpha1.MFAUser

func adopt(u user) { u.Spec.AdoptionPolicy = v1alpha1.AdoptionIfExists }

var scenes = map[string]scene{
	"new":      {nil, func(u user) { u.Spec.Email = new("new@example.com") }, plan.Create, "email", ""},
	"powerful": {nil, func(u user) { u.Spec.Role, u.Spec.Access = new(v1alpha1.RoleManager), new(v1alpha1.AccessBlocked) }, plan.Create, "role access", ""},
	"member":   {nil, func(u user) { u.Spec.Groups = []v1alpha1.GroupMembership{{Name: "staff", Role: v1alpha1.RoleUser}} }, plan.Create, "groups", ""},
	"watched":  {nil, func(u user) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve }, plan.Nothing, "", ""},
	"asleep":   {nil, func(u user) { u.Spec.Suspend = true }, plan.Nothing, "", ""},
	"stranger": {&mfasim.Account{}, func(user) {}, plan.Refused, "", v1alpha1.ReasonAccountConflict},
	"same": {&mfasim.Account{FirstName: "Sam ", Phone: "0033 6 12 34 56 78", Email: "SAM@example.com"}, func(u user) {
		adopt(u)
		u.Spec.FirstName, u.Spec.Phone, u.Spec.Email = new("Sam"), new("+33612345678"), new("sam@example.com")
	}, plan.Nothing, "", ""},
	"edited": {&mfasim.Account{FirstName: "Ed", LastName: "Old", Email: "ed@example.com"}, func(u user) {
		adopt(u)
		u.Spec.LastName, u.Spec.Email, u.Spec.Language = new("New"), new(""), new("fr")
	}, plan.Update, "lastName email language", ""},
	"blockee": {&mfasim.Account{Status: mfasim.StatusActivated}, func(u user) { adopt(u); u.Spec.Access = new(v1alpha1.AccessBlocked) }, plan.Block, "access", ""},
	"freed":   {&mfasim.Account{Status: mfasim.StatusBlocked}, func(u user) { adopt(u); u.Spec.Access = new(v1alpha1.AccessAllowed) }, plan.Update, "access", ""},
	"observed": {&mfasim.Account{FirstName: "Old"}, func(u user) {
		adopt(u)
		u.Spec.FirstName = new("New")
		u.Spec.ManagementPolicy = v1alpha1.ManagementObserve
	}, plan.Nothing, "firstName", ""},
	"auditor": {&mfasim.Account{Role: "AUDITOR"}, adopt, plan.Refused, "", v1alpha1.ReasonPrivilegedAccount},
	"regroup": {&mfasim.Account{}, func(u user) { adopt(u); u.Spec.Groups = []v1alpha1.GroupMembership{} }, plan.Update, "groups", ""},
	"board":   {nil, func(u user) { u.Spec.Groups = []v1alpha1.GroupMembership{{Name: "board", Role: v1alpha1.RoleUser}} }, plan.Refused, "", v1alpha1.ReasonNotAllowed},
	"nowhere": {&mfasim.Account{}, func(u user) {
		adopt(u)
		u.Spec.Groups = []v1alpha1.GroupMembership{{Name: "staffless", Role: v1alpha1.RoleUser}}
	}, plan.Refused, "", v1alpha1.ReasonGroupNotFound},
	"rival":    {nil, func(u user) { u.Spec.Login = "new@example.com" }, plan.Refused, "", v1alpha1.ReasonDuplicateLogin},
	"homeless": {nil, func(u user) { u.Spec.ConnectionRef.Name = "none" }, plan.Refused, "", v1alpha1.ReasonConnectionNotFound},
	"outsider": {nil, func(u user) { u.Spec.Login = "out@example.org" }, plan.Refused, "", v1alpha1.ReasonNotAllowed},
}

// newScenes makes the world of the scenes, before the operator has looked at it. The rival comes last: the older one owns.
func newScenes(t *testing.T) *world {
	w := newWorld(t, func(c *v1alpha1.MFAConnection) {
		c.Spec.Policy.LoginPatterns = []string{"*@example.com"}
		c.Spec.Policy.Roles = []v1alpha1.Role{v1alpha1.RoleUser, v1alpha1.RoleManager}
	})
	w.sim.AddGroup("staff")
	for name, scene := range scenes {
		if scene.account != nil {
			account := *scene.account
			account.Login = name + "@example.com"
			w.sim.Seed(account)
		}
		if name != "rival" {
			w.create(w.user(name, scene.edit))
		}
	}
	w.g.Expect(w.sim.SetMembership("regroup@example.com", "staff", mfasim.RoleUser)).To(Succeed())
	w.g.Eventually(func() bool { // the API server's clock ticks in seconds
		probe := w.user("probe")
		w.create(probe)
		defer w.drop(w.ctx, probe)
		return probe.CreationTimestamp.After(w.get("new").CreationTimestamp.Time)
	}).Should(BeTrue())
	w.create(w.user("rival", scenes["rival"].edit))
	return w
}

// TestPlanAgreesWithTheOperator: what the plan says beforehand is what the operator then does, account by account and field by
// field, and what it refuses, with its reason. The plan itself changes nothing.
func TestPlanAgreesWithTheOperator(t *testing.T) {
	w := newScenes(t)
	before := byLogin(w.sim)
	w.sim.ResetCalls()
	items := w.planned()
	for operation := range w.sim.Calls() {
		w.g.Expect(operation).To(Or(HavePrefix("List"), HavePrefix("Get")))
	}
	w.g.Expect(items).To(HaveLen(len(scenes)))
	for name, scene := range scenes {
		w.g.Expect(items[name].Action).To(Equal(scene.action), "%s: %+v", name, items[name])
		w.g.Expect(items[name].Reason).To(Equal(scene.reason), name)
		w.g.Expect(fieldsOf(items[name])).To(ConsistOf(strings.Fields(scene.changes)), name)
	}

	w.operate()
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			item := items[name]
			login := w.get(name).Spec.Login
			if scene.reason != v1alpha1.ReasonConnectionNotFound && name != "watched" { // these wait, and nothing is to come
				reason := w.settled(name)
				if scene.reason != "" {
					g.Expect(reason).To(Equal(scene.reason))
					if name != "rival" {
						g.Expect(byLogin(w.sim)[login]).To(Equal(before[login]))
					}
					return
				}
				g.Expect(reason).To(BeElementOf(v1alpha1.ReasonReconciled, v1alpha1.ReasonChangesPending, v1alpha1.ReasonSuspended))
			}
			g.Expect(changed(before[login], byLogin(w.sim)[login])).To(ConsistOf(written(item)))
		})
	}
	w.g.Expect(w.mfa("plan", "new", "edited", "observed").code).To(BeZero(), "all is done")
	w.g.Expect(w.mfa("plan").code).To(Equal(3), "some are refused")
	for name, item := range w.planned() {
		w.g.Expect(item.Acts()).To(BeFalse(), name)
	}
}

// state is an account of the simulator with what its record does not hold.
type state struct {
	exists bool
	fields map[string]string
}

func byLogin(sim *mfasim.Service) map[string]state {
	all := map[string]state{}
	for _, a := range sim.Accounts() {
		var groups []string
		for _, m := range sim.Memberships(a.Login) {
			groups = append(groups, m.Group+":"+rules.RoleText(mfaclient.Role(m.Role)))
		}
		slices.Sort(groups)
		access := v1alpha1.AccessAllowed
		if a.Blocked {
			access = v1alpha1.AccessBlocked
		}
		all[a.Login] = state{true, map[string]string{
			"firstName": a.FirstName, "lastName": a.LastName, "email": a.Email, "phone": a.Phone, "language": a.Language,
			"role": rules.RoleText(mfaclient.Role(a.Role)), "access": string(access), "groups": strings.Join(groups, ", "),
		}}
	}
	return all
}

// fresh is what an account is before anything is written to it.
var fresh = map[string]string{"language": "en", "role": string(v1alpha1.RoleUser), "access": string(v1alpha1.AccessAllowed)}

func changed(before, after state) (all []plan.Change) {
	if !before.exists {
		before.fields = fresh
	}
	for field, value := range after.fields {
		if before.fields[field] != value {
			all = append(all, plan.Change{Field: field, From: before.fields[field], To: value})
		}
	}
	if before.exists != after.exists {
		all = append(all, plan.Change{Field: "account", To: "made"})
	}
	return all
}

// written are the changes of an item as the simulator shows them.
func written(item plan.Item) []plan.Change {
	if !item.Acts() {
		return nil
	}
	all := slices.Clone(item.Changes)
	if item.Action == plan.Create {
		for n := range all {
			all[n].From = fresh[all[n].Field]
		}
		all = append(all, plan.Change{Field: "account", To: "made"})
	}
	return all
}

func fieldsOf(item plan.Item) (names []string) {
	for _, change := range item.Changes {
		names = append(names, change.Field)
	}
	return names
}

// TestPlanOfManifests: a manifest counts as it would be stored, with its defaults, and with what is known of the one before.
func TestPlanOfManifests(t *testing.T) {
	w := newWorld(t)
	w.create(w.user("alice", func(u user) { u.Spec.FirstName = new("Alice") }))
	w.operate()
	w.settled("alice")

	dir := t.TempDir()
	w.write(dir, "alice.yaml", w.user("alice", func(u user) { u.Spec.FirstName = new("Alicia") }))
	w.write(dir, "bob.yaml", w.user("bob"))
	items := w.planned("-f", dir)
	w.g.Expect(items["alice"].Action).To(Equal(plan.Update))
	w.g.Expect(items["alice"].Changes).To(Equal([]plan.Change{{Field: "firstName", From: "Alice", To: "Alicia"}}))
	w.g.Expect(items["bob"].Action).To(Equal(plan.Create))
	w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "bob"}, &v1alpha1.MFAUser{})).NotTo(Succeed(), "a plan stores nothing")
	w.g.Expect(w.get("alice").Spec.FirstName).To(HaveValue(Equal("Alice")))

	text := w.mfa("plan", "-f", dir)
	w.g.Expect(text.code).To(Equal(1))
	w.g.Expect(text.out).To(ContainSubstring(`firstName: "Alice" → "Alicia"`))
	w.g.Expect(text.out).To(ContainSubstring("Plan: 1 to create, 1 to update"))

	// One that the operator would refuse shows, whatever else would change.
	w.write(dir, "carol.yaml", w.user("carol", func(u user) { u.Spec.Role = new(v1alpha1.RoleManager) }))
	refused := w.mfa("plan", "-f", dir)
	w.g.Expect(refused.code).To(Equal(3))
	w.g.Expect(refused.out).To(And(ContainSubstring("NotAllowed"), ContainSubstring("Plan: 1 to create, 1 to update, 0 to block, 0 to delete, 0 codes, 0 unchanged, 1 refused.")))
	w.g.Expect(refused.err).To(BeEmpty())

	// A group that is missing stops only a part.
	half, err := yaml.Marshal(w.user("alice", func(u user) {
		u.Spec.FirstName, u.Spec.Groups = new("Alicia"), []v1alpha1.GroupMembership{{Name: "staffless", Role: v1alpha1.RoleUser}}
	}))
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(w.mfaWith(string(half), "plan", "-f", "-").code).To(Equal(3))

	// A field that is dropped is not managed any more, and a generation that is raised asks for a code.
	raised, err := yaml.Marshal(w.user("alice", func(u user) { u.Spec.Code.Generation = new(int64(2)) }))
	w.g.Expect(err).NotTo(HaveOccurred())
	code := w.mfaWith("kind: ConfigMap\napiVersion: v1\nmetadata: {name: other}\n---\n"+string(raised), "plan", "-f", "-")
	w.g.Expect(code.code).To(Equal(1))
	w.g.Expect(code.out).To(ContainSubstring("* code " + w.namespace + "/alice"))
	w.g.Expect(code.out).NotTo(ContainSubstring("firstName"))
	w.g.Expect(code.err).To(ContainSubstring("1 objects of other kinds are left out"))

	wrong := w.mfaWith(strings.ReplaceAll(string(raised), "alice@example.com", "eve@example.com"), "plan", "-f", "-")
	w.g.Expect(wrong.code).To(Equal(2))
	w.g.Expect(wrong.err).To(ContainSubstring("login is immutable"))
	for _, name := range []string{"alice", "carol"} { // one that is there, and one that is not
		misspelt := w.mfaWith(strings.ReplaceAll(string(raised), "alice", name)+"  emial: x@example.com\n", "plan", "-f", "-")
		w.g.Expect(misspelt.code).To(Equal(2), misspelt.out)
		w.g.Expect(misspelt.out).To(BeEmpty())
		w.g.Expect(misspelt.err).To(And(HavePrefix("error: "), ContainSubstring("/"+name), ContainSubstring(`unknown field "spec.emial"`)))
	}
	w.g.Expect(w.mfa("plan", "nobody").code).To(Equal(2))
	w.g.Expect(w.mfa("plan", "--no-such-flag").code).To(Equal(2))
}

// TestPlanSlowedDown: a service that asks to slow down in the middle is waited for.
func TestPlanSlowedDown(t *testing.T) {
	w := newWorld(t)
	w.sim.AddGroup("staff")
	w.sim.Seed(mfasim.Account{Login: "alice@example.com"})
	w.create(w.user("alice", adopt, func(u user) { u.Spec.Groups = []v1alpha1.GroupMembership{} }))
	for _, operation := range []string{"ListGroups", "ListAccountGroups"} {
		w.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Operation: operation, Status: 429, RetryAfter: "1", Count: 1})
		w.g.Expect(w.planned()["alice"].Action).To(Equal(plan.Nothing))
		w.g.Expect(w.sim.Calls()[operation]).To(BeNumerically(">", 1))
		w.sim.ResetCalls()
	}
}

// TestPlanOfPruning: whoever a branch takes out is told of in any case, and planned for as deleted when asked; another
// namespace's people and those who are leaving already are not.
func TestPlanOfPruning(t *testing.T) {
	w := newWorld(t)
	w.create(w.user("alice"), w.user("dave"), w.user("kim", func(u user) { u.Namespace = w.mfaNamespace }))
	w.operate()
	w.settled("alice")
	w.settled("dave")
	dir := t.TempDir()
	w.write(dir, "alice.yaml", w.user("alice"))

	told := w.mfa("plan", "-f", dir)
	w.g.Expect(told.code).To(BeZero(), told.out)
	w.g.Expect(told.err).To(ContainSubstring("that no manifest names, and a tool that prunes would delete: 1; --prune plans for that"))
	w.g.Expect(told.out).NotTo(ContainSubstring("dave"))
	pruned := w.mfa("plan", "-f", dir, "--prune")
	w.g.Expect(pruned.code).To(Equal(1))
	w.g.Expect(pruned.out).To(ContainSubstring("block " + w.namespace + "/dave"))
	w.g.Expect(pruned.out).To(ContainSubstring("Plan: 0 to create, 0 to update, 1 to block, 0 to delete"))
	w.g.Expect(pruned.out + pruned.err).NotTo(ContainSubstring("kim"))
	w.g.Expect(w.mfa("plan", "--prune").err).To(ContainSubstring("--prune goes with manifests"))
	w.g.Expect(w.get("dave").DeletionTimestamp).To(BeNil(), "a plan deletes nothing")
}

func (w *world) write(dir, name string, object any) {
	w.t.Helper()
	text, err := yaml.Marshal(object)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(os.WriteFile(filepath.Join(dir, name), text, 0o600)).To(Succeed())
}

// TestPlanOfDeletion: what deleting users would do, by their policies, and what the guard would make of it.
func TestPlanOfDeletion(t *testing.T) {
	w := newWorld(t, func(c *v1alpha1.MFAConnection) { c.Spec.ChangeGuard.MaxRemovals = new(int32(1)) })
	policies := map[string]v1alpha1.DeletionPolicy{"kept": v1alpha1.DeletionRetain, "shut": v1alpha1.DeletionBlock, "gone": v1alpha1.DeletionDelete}
	for name, policy := range policies {
		w.create(w.user(name, func(u user) { u.Spec.DeletionPolicy = policy }))
	}
	stop := w.operate()
	for name := range policies {
		w.settled(name)
	}
	before := w.sim.Accounts()
	items := w.planned("--delete")
	w.g.Expect(items["kept"].Action).To(Equal(plan.Nothing))
	w.g.Expect(items["shut"].Action).To(Equal(plan.Block))
	w.g.Expect(items["gone"].Action).To(Equal(plan.Delete))
	w.g.Expect(w.mfa("plan", "--delete").out).To(ContainSubstring("2 accounts would lose access or devices, and the changeGuard of " + w.mfaNamespace + "/production lets 1 go"))
	w.g.Expect(w.mfa("plan", "gone", "--delete").out).NotTo(ContainSubstring("changeGuard"))
	w.g.Expect(w.sim.Accounts()).To(Equal(before))

	stop() // all at once, as a namespace goes
	for name := range policies {
		w.g.Expect(w.client.Delete(w.ctx, w.get(name))).To(Succeed())
	}
	w.operate()
	w.g.Eventually(func() string { return fmt.Sprint(w.mfa("status", "--reason", "RemovalHeld", "-o", "json").out) }).Should(ContainSubstring(`"total": 2`), "as the plan has said")
	holds := func() bool { // the connection counts a moment after the users
		var conn v1alpha1.MFAConnection
		w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Namespace: w.mfaNamespace, Name: "production"}, &conn)).To(Succeed())
		return meta.IsStatusConditionTrue(conn.Status.Conditions, v1alpha1.ConditionChangesHeld)
	}
	w.g.Eventually(holds).Should(BeTrue())
	approved := w.mfa("approve", "production", "2", "-n", w.mfaNamespace)
	w.g.Expect(approved.code).To(BeZero(), approved.err)
	w.g.Expect(approved.out).To(ContainSubstring("approved: 2"))
	w.g.Eventually(func() bool { a, _ := w.sim.Account("shut@example.com"); return a.Blocked }).Should(BeTrue())
	w.g.Eventually(func() bool { _, there := w.sim.Account("gone@example.com"); return there }).Should(BeFalse())
	w.g.Eventually(holds).Should(BeFalse())
	w.g.Expect(w.mfa("approve", "production", "2", "-n", w.mfaNamespace).code).To(Equal(1), "nothing is held any more")
}
