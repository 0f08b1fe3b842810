package e2e

import (
	"time"

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
		name: "code by generation", setup: makeAlice,
		trigger: func(w *world) {
			edit(w, w.get("alice"), func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(2)) })
		},
		done:   func(w *world) { w.expectOneMoreCode("alice", "generation/2") },
		madeOf: []string{"GetAccount", "PATCH secrets, dry run", "PATCH mfausers/status", "IssueCode", "PATCH secrets"},
	},
	{
		name: "Restore code by hand", setup: enrolAlice,
		trigger: func(w *world) { w.askByHand("alice", "Restore/lost") },
		done: func(w *world) {
			w.expectOneMoreCode("alice", "annotation/lost")
			w.expectRemovals(v1alpha1.RemovalRestore)
		},
		madeOf: []string{"GetAccount", "ListDevices", "PATCH mfaconnections/status", "PATCH mfausers/status", "IssueCode", "PATCH secrets"},
	},
	{
		name: "use of a device code", listing: true,
		setup: func(w *world) {
			enrolAlice(w)
			w.askByHand("alice", "AddDevice/more")
			w.awaitCode("alice", "annotation/more", v1alpha1.CodeActive)
		},
		trigger: func(w *world) {
			w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
		},
		done: func(w *world) {
			w.awaitCode("alice", "annotation/more", v1alpha1.CodeUsed)
			w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyCode))
			w.expectNothingIssued("alice", 2)
		},
		madeOf: []string{"ListDevices", "PATCH secrets", "PATCH mfausers/status"},
	},
	{
		name: "renewal", listing: true,
		setup: func(w *world) {
			w.create(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Renewal = v1alpha1.RenewalWhenExpired }))
			w.awaitReady("alice")
		},
		trigger: func(w *world) { w.sim.Advance(22 * 24 * time.Hour) },
		done:    func(w *world) { w.expectOneMoreCode("alice", "renewal/1/1") },
		madeOf:  []string{"ListAccounts", "GetAccount", "PATCH mfausers/status", "IssueCode", "PATCH secrets"},
	},
	{
		name: "activation",
		setup: func(w *world) {
			w.create(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeInactive }))
			w.awaitReady("alice")
		},
		trigger: func(w *world) {
			edit(w, w.get("alice"), func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = v1alpha1.ActivationNow })
		},
		done: func(w *world) {
			w.awaitCode("alice", "create", v1alpha1.CodeActive)
			w.awaitReady("alice")
			w.expectNothingIssued("alice", 1)
		},
		madeOf: []string{"GetAccount", "ActivateCode", "PATCH secrets", "PATCH mfausers/status"},
	},
	{
		name: "mail of a code in a Secret", setup: makeMailable,
		trigger: func(w *world) { edit(w, w.get("alice"), mailed(v1alpha1.DeliverySecretAndEmail)) },
		done: func(w *world) {
			w.expectOneMoreCode("alice", "generation/2")
			w.expectMailed("alice")
		},
		madeOf: []string{"IssueCode", "PATCH secrets", "SendCode", "PATCH mfausers/status"},
	},
	{
		name: "mail alone", mailed: true, setup: makeMailable,
		trigger: func(w *world) { edit(w, w.get("alice"), mailed(v1alpha1.DeliveryEmail)) },
		done: func(w *world) {
			w.awaitCode("alice", "generation/2", v1alpha1.CodeActive, "nowhere in the cluster")
			w.expectMailed("alice")
			w.g.Expect(w.secret("alice").Data).NotTo(Or(HaveKey(v1alpha1.KeyCode), HaveKey(v1alpha1.KeyLink)))
		},
		madeOf: []string{"IssueCode", "PATCH secrets", "PATCH mfausers/status", "SendCode"},
	},
	{
		name: "mail to somebody new", mailed: true, cold: true, listing: true,
		trigger: func(w *world) {
			w.create(w.user("alice", func(u *v1alpha1.MFAUser) {
				u.Spec.Email, u.Spec.Code.Delivery = new(loginOf("alice")), v1alpha1.DeliveryEmail
			}))
		},
		done: func(w *world) {
			w.awaitCode("alice", "create", v1alpha1.CodeActive, "nowhere in the cluster")
			w.expectMailed("alice")
			w.g.Expect(w.secret("alice").Name).To(BeEmpty())
			w.g.Expect(w.sim.Accounts()).To(HaveLen(2), "the administrator's, and one")
		},
		madeOf: []string{"CreateAccount", "PATCH mfausers/status", "SendCode"},
	},
	{
		name: "reset of PIN errors",
		setup: func(w *world) {
			enrolAlice(w)
			for range 3 {
				w.g.Expect(w.sim.MistypePIN(loginOf("alice"))).To(Succeed())
			}
			w.g.Eventually(func() v1alpha1.AccountState { return w.get("alice").Status.State }).Should(Equal(v1alpha1.StatePinBlocked))
		},
		trigger: func(w *world) { w.askByHand("alice", "PINErrors/1") },
		done: func(w *world) {
			w.g.Eventually(func() []string { return w.get("alice").Status.HandledIssueCodes }).Should(ConsistOf("PINErrors/1"))
			w.awaitReady("alice")
			w.g.Expect(w.account("alice").Status).To(Equal(mfasim.StatusActivated))
			w.g.Expect(w.get("alice").Status.CodeRefusal).To(BeNil())
			w.expectNothingIssued("alice", 1)
		},
		madeOf: []string{"GetAccount", "ResetPINErrors", "PATCH mfausers/status"},
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

// enrolAlice makes Alice and lets her enrol her first device.
func enrolAlice(w *world) {
	w.t.Helper()
	makeAlice(w)
	w.useCode("alice", "create")
}

func makeMailable(w *world) {
	w.t.Helper()
	w.create(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.Email = new(loginOf("alice")) }))
	w.awaitReady("alice")
}

func mailed(delivery v1alpha1.CodeDelivery) func(*v1alpha1.MFAUser) {
	return func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation, u.Spec.Code.Delivery = new(int64(2)), delivery }
}

// expectOneMoreCode says that a request was answered: after a lost answer it may have been asked for once more.
func (w *world) expectOneMoreCode(name, request string) {
	w.t.Helper()
	w.awaitCode(name, request, v1alpha1.CodeActive)
	w.awaitReady(name)
	w.g.Expect(w.sim.CodesIssued(loginOf(name))).To(BeNumerically("<=", 3), "the first, this one, and one that nobody saw")
	w.g.Expect(w.sim.Accounts()).To(HaveLen(2), "the administrator's, and one")
}

// expectMailed says that the last mail holds the link that works.
func (w *world) expectMailed(name string) {
	w.t.Helper()
	w.awaitReady(name)
	w.g.Expect(w.get(name).Status.Code.EmailedAt).NotTo(BeNil())
	mails := w.sim.Outbox()
	w.g.Expect(mails).NotTo(BeEmpty())
	w.g.Expect(len(mails)).To(BeNumerically("<=", 2), "the same link may come twice")
	w.g.Expect(w.sim.Accepts(mails[len(mails)-1].Link)).To(BeTrue())
	w.g.Expect(mails[0].Link).To(Equal(mails[len(mails)-1].Link))
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
