package e2e

import (
	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// flows are all that the operator does in several steps. A new one needs a row here and nothing else.
var flows = []flow{
	{
		name: "creation", cold: true, listing: true,
		trigger: func(w *world) { w.create(w.user("alice", bindable)) },
		done:    func(w *world) { w.expectOneLiveCode("alice") },
		madeOf: []string{"ListAccounts", "CreateAccount", "PATCH mfausers", "PATCH mfausers/status", "PATCH secrets", "PATCH secrets, dry run",
			"ListAccountGroups"},
	},
	{
		name: "creation without an answer", cold: true, since: "IssueCode",
		setup: func(w *world) {
			w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 1})
		},
		trigger: func(w *world) { w.create(w.user("alice", bindable)) },
		done: func(w *world) {
			w.expectLiveCode("alice")
			w.g.Expect(w.sim.CodesIssued(loginOf("alice"))).To(BeNumerically("<=", 3), "one that nobody saw, one lost, one in the Secret")
		},
		madeOf: []string{"IssueCode"},
	},
	{
		name: "adoption",
		setup: func(w *world) {
			w.sim.Seed(mfasim.Account{Login: loginOf("alice"), FirstName: "Alison", Status: mfasim.StatusActivated})
			w.wake(1)
			w.g.Eventually(func() string { return w.getConnection().Status.HandledReconcileRequest }).Should(Equal("1"))
		},
		trigger: func(w *world) {
			w.create(w.user("alice", bindable, func(u *v1alpha1.MFAUser) { u.Spec.AdoptionPolicy = v1alpha1.AdoptionIfExists }))
		},
		done: func(w *world) {
			w.awaitReady("alice")
			w.g.Expect(w.account("alice").FirstName).To(Equal("Alice"))
			w.expectNothingIssued("alice", 0)
		},
		madeOf: []string{"PATCH mfausers", "UpdateAccount", "PATCH mfausers/status"},
	},
	{
		name: "removal by Block", setup: makeAlice, trigger: deleteAlice,
		done: func(w *world) {
			w.awaitGone("alice")
			w.g.Expect(w.account("alice").Blocked).To(BeTrue())
			w.expectRemovals(v1alpha1.RemovalBlock)
		},
		madeOf: []string{"GetAccount", "PATCH mfaconnections/status", "UpdateAccount", "PATCH mfausers"},
	},
	{
		name: "removal by Delete",
		setup: func(w *world) {
			w.create(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete }))
			w.awaitReady("alice")
		},
		trigger: deleteAlice,
		done: func(w *world) {
			w.awaitGone("alice")
			w.g.Expect(w.account("alice").Login).To(BeEmpty())
			w.expectRemovals(v1alpha1.RemovalDelete)
		},
		madeOf: []string{"GetAccount", "PATCH mfaconnections/status", "DeleteAccount", "PATCH mfausers"},
	},
	{
		name: "removal by orphan", setup: makeAlice,
		trigger: func(w *world) {
			edit(w, w.get("alice"), func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} })
			deleteAlice(w)
		},
		done: func(w *world) {
			w.awaitGone("alice")
			w.g.Expect(w.account("alice").Blocked).To(BeFalse())
			w.expectRemovals()
		},
		madeOf: []string{"PATCH mfausers"},
	},
	{
		name: "return after a removal",
		setup: func(w *world) {
			makeAlice(w)
			deleteAlice(w)
			w.awaitGone("alice")
		},
		trigger: func(w *world) { w.create(w.user("alice")) },
		done: func(w *world) {
			w.awaitReady("alice")
			w.g.Expect(w.account("alice").Blocked).To(BeFalse(), "our own block is undone")
			w.expectNothingIssued("alice", 1)
			w.expectRemovals(v1alpha1.RemovalBlock)
		},
		madeOf: []string{"PATCH mfausers", "UpdateAccount", "PATCH mfausers/status"},
	},
	{
		name: "change of groups",
		setup: func(w *world) {
			w.sim.AddGroup("staff")
			w.sim.AddGroup("staff-it")
			w.create(w.user("alice", inGroup("staff")))
			w.awaitReady("alice")
		},
		trigger: func(w *world) { edit(w, w.get("alice"), inGroup("staff-it")) },
		done: func(w *world) {
			w.awaitReady("alice")
			w.g.Expect(w.sim.Memberships(loginOf("alice"))).To(ConsistOf(HaveField("Group", "staff-it")))
		},
		madeOf: []string{"ListAccountGroups", "DeleteMembership", "PutMembership", "PATCH mfausers/status"},
	},
	{
		name: "edit elsewhere", listing: true,
		setup: func(w *world) {
			w.create(w.user("alice", bindable))
			w.awaitReady("alice")
		},
		trigger: func(w *world) {
			w.g.Expect(w.sim.UpdateAccount(loginOf("alice"), func(a *mfasim.Account) { a.FirstName = "Alison" })).To(Succeed())
			w.wake(1)
		},
		done: func(w *world) {
			w.g.Eventually(func() string { return w.account("alice").FirstName }).Should(Equal("Alice"))
			w.g.Eventually(func() string { return w.getConnection().Status.HandledReconcileRequest }).Should(Equal("1"))
			w.awaitReady("alice")
			w.expectNothingIssued("alice", 1)
		},
		madeOf: []string{"ListAccounts", "UpdateAccount", "PATCH mfaconnections/status"},
	},
	{
		name: "block by the manifest", setup: makeAlice,
		trigger: func(w *world) {
			edit(w, w.get("alice"), func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) })
		},
		done: func(w *world) {
			w.awaitReady("alice")
			w.g.Expect(w.account("alice").Blocked).To(BeTrue())
			w.expectRemovals(v1alpha1.RemovalBlock)
		},
		madeOf: []string{"GetAccount", "PATCH mfaconnections/status", "UpdateAccount", "PATCH mfausers/status"},
	},
	{
		name: "use of the code", setup: makeAlice, listing: true,
		trigger: func(w *world) {
			w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyLink]))).To(Succeed())
			w.wake(1)
		},
		done: func(w *world) {
			w.g.Eventually(func() v1alpha1.CodePhase { return w.get("alice").Status.Code.Phase }).Should(Equal(v1alpha1.CodeUsed))
			w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyLink))
			w.g.Eventually(func() string { return w.getConnection().Status.HandledReconcileRequest }).Should(Equal("1"))
			w.expectNothingIssued("alice", 1)
		},
		madeOf: []string{"ListAccounts", "PATCH secrets", "PATCH mfausers/status"},
	},
	{
		name: "loss of the Secret", setup: makeAlice,
		trigger: func(w *world) { w.g.Expect(w.client.Delete(w.ctx, w.secret("alice"))).To(Succeed()) },
		done: func(w *world) {
			w.g.Eventually(func() v1alpha1.CodePhase { return w.get("alice").Status.Code.Phase }).Should(Equal(v1alpha1.CodeLost))
			w.g.Expect(w.secret("alice").Name).To(BeEmpty(), "it is not filled again")
			w.expectNothingIssued("alice", 1)
		},
		madeOf: []string{"PATCH mfausers/status"},
	},
}

func makeAlice(w *world) {
	w.t.Helper()
	w.create(w.user("alice"))
	w.awaitReady("alice")
}

func deleteAlice(w *world) {
	w.t.Helper()
	w.g.Expect(w.client.Delete(w.ctx, w.get("alice"))).To(Succeed())
}

// bindable makes the creation a long one: everything that is done for a new account is in it.
func bindable(user *v1alpha1.MFAUser) {
	user.Spec.FirstName = new("Alice")
	user.Spec.Email = new("alice@example.com")
	user.Spec.Groups = []v1alpha1.GroupMembership{}
}

func inGroup(name string) func(*v1alpha1.MFAUser) {
	return func(u *v1alpha1.MFAUser) {
		u.Spec.Groups = []v1alpha1.GroupMembership{{Name: name, Role: v1alpha1.RoleUser}}
	}
}

// expectNothingIssued says that the user has the one account with this login, and as many codes as before.
func (w *world) expectNothingIssued(name string, before int) {
	w.t.Helper()
	w.g.Expect(w.sim.Accounts()).To(HaveLen(2), "the administrator's, and one")
	w.g.Expect(w.get(name).Status.AccountID).To(Equal(w.account(name).ID.String()))
	w.g.Expect(w.sim.CodesIssued(loginOf(name))).To(Equal(before))
}

// expectRemovals says which removals are on record: each once, however often it was tried.
func (w *world) expectRemovals(actions ...v1alpha1.RemovalAction) {
	w.t.Helper()
	var recorded []v1alpha1.RemovalAction
	for _, removal := range w.getConnection().Status.Removals {
		recorded = append(recorded, removal.Action)
	}
	w.g.Expect(recorded).To(Equal(actions))
}
