package controller

import (
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

var allRoles = []v1alpha1.Role{v1alpha1.RoleUser, v1alpha1.RoleManager, v1alpha1.RoleAdministrator}

// TestProtectedAccounts: whatever policy and manifest say, the token's own account and the last administrator are never
// blocked, demoted or deleted; the others are.
func TestProtectedAccounts(t *testing.T) {
	const self = mfasim.DefaultAdminLogin
	seed := func(logins ...string) func(w *testWorld) {
		return func(w *testWorld) {
			for _, login := range logins {
				w.sim.Seed(mfasim.Account{Login: login, Role: mfasim.RoleAdministrator, Status: mfasim.StatusActivated})
			}
		}
	}
	opaque := func(edit func(*testWorld)) func(w *testWorld) {
		return func(w *testWorld) {
			edit(w)
			w.sim.AddOpaqueToken("opaque-token")
			secret := w.tokenSecret("opaque-token")
			w.g.Expect(w.client.Update(w.ctx, secret)).To(Succeed())
			w.reconcileConnection()
		}
	}
	cases := map[string]struct {
		opts      mfasim.Options
		before    func(w *testWorld)
		login     string
		protected bool
	}{
		"the token's own":                      {mfasim.Options{}, seed("boss@example.com"), self, true},
		"the token's own, in other case":       {mfasim.Options{AdminLogin: "ADMIN@example.com"}, seed("boss@example.com"), self, true},
		"the last administrator":               {mfasim.Options{NoAdmin: true}, seed("boss@example.com"), "boss@example.com", true},
		"one of two administrators":            {mfasim.Options{NoAdmin: true}, seed("boss@example.com", "chief@example.com"), "boss@example.com", false},
		"one of two, the other blocked":        {mfasim.Options{NoAdmin: true}, blockedChief, "boss@example.com", true},
		"any administrator, with opaque token": {mfasim.Options{}, opaque(seed("boss@example.com")), "boss@example.com", true},
	}
	takes := map[string]func(w *testWorld){
		"deletion, Block": func(w *testWorld) { w.deleteUser("boss") },
		"deletion, Delete": func(w *testWorld) {
			w.edit("boss", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
			w.deleteUser("boss")
		},
		"block": func(w *testWorld) {
			w.edit("boss", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) })
		},
		"demotion": func(w *testWorld) {
			w.edit("boss", func(u *v1alpha1.MFAUser) { u.Spec.Role = new(v1alpha1.RoleManager) })
		},
	}
	for name, tc := range cases {
		for what, take := range takes {
			t.Run(name+"/"+what, func(t *testing.T) {
				w := newTestWorld(t, tc.opts, func(c *v1alpha1.MFAConnection) {
					c.Spec.Policy.Roles, c.Spec.Policy.Adoption = allRoles, v1alpha1.ConnectionAdoptionAlways
				})
				tc.before(w)
				w.tick(interval(w.connection()) + 1)
				w.g.Expect(ready(w.apply(w.user("boss", loginOf(tc.login))).Status.Conditions)).To(Equal("True Reconciled"))
				before := w.remote(tc.login)
				w.sim.ResetCalls()

				take(w)
				user := w.settle("boss")

				if !tc.protected {
					after, _ := w.sim.Account(tc.login)
					w.g.Expect(after).NotTo(Equal(before))
					return
				}
				w.g.Expect(ready(user.Status.Conditions)).To(Equal("False ProtectedAccount Stalled"))
				w.g.Expect(w.remote(tc.login)).To(Equal(before))
				w.g.Expect(w.remoteWrites()).To(BeZero())
				w.g.Expect(w.removals()).To(BeEmpty(), "what is not done is not recorded")
				if !user.DeletionTimestamp.IsZero() {
					w.g.Expect(readyOf(user.Status.Conditions).Message).To(ContainSubstring(v1alpha1.AnnotationOrphan))
					w.edit("boss", func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} })
					w.settle("boss")
					w.g.Expect(w.get("boss").Name).To(BeEmpty(), "there is a way out")
				}
			})
		}
	}
}

func blockedChief(w *testWorld) {
	w.sim.Seed(mfasim.Account{Login: "boss@example.com", Role: mfasim.RoleAdministrator, Status: mfasim.StatusActivated})
	w.sim.Seed(mfasim.Account{Login: "chief@example.com", Role: mfasim.RoleAdministrator, Status: mfasim.StatusBlocked})
}

// TestOpaqueToken: what an opaque token does not say keeps nobody from working with plain users.
func TestPlainUsersUnderOpaqueToken(t *testing.T) {
	w := newBareWorld(t, mfasim.Options{})
	w.sim.AddOpaqueToken("opaque-token")
	w.create(w.tokenSecret("opaque-token"), w.connection())
	w.reconcileConnection()

	w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal("True Reconciled"))
	w.oneLiveCode("alice")
	w.deleteUser("alice")
	w.g.Expect(w.get("alice").Name).To(BeEmpty())
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
}

// TestPrivilegedAccounts: an account of ours that is given a role outside policy.roles is let alone, whatever is asked.
func TestPrivilegedAccounts(t *testing.T) {
	roles := []string{mfasim.RoleManager, "HELPDESK"}
	asks := map[string]func(w *testWorld){
		"a field": func(w *testWorld) { w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alicia") }) },
		"demotion": func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Role = new(v1alpha1.RoleUser) })
		},
		"a block": func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) })
		},
		"groups": func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Groups = group("staff", "User") })
		},
		"a code": func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(2)) })
		},
		"deletion":        func(w *testWorld) { w.g.Expect(w.client.Delete(w.ctx, w.get("alice"))).To(Succeed()) },
		"nothing special": func(*testWorld) {},
	}
	for _, role := range roles {
		for what, ask := range asks {
			// seen: the listing has shown the role; else the picture is old and only a fresh look can tell.
			for _, seen := range []bool{true, false} {
				if !seen && what != "a block" && what != "deletion" {
					continue // only what takes access away is preceded by a fresh look
				}
				name := what + " of " + role
				if !seen {
					name += ", given since the listing"
				}
				t.Run(name, func(t *testing.T) {
					w := newTestWorld(t, mfasim.Options{})
					w.sim.AddGroup("staff")
					w.apply(w.user("alice"))
					give := func(a *mfasim.Account) { a.Role = role }
					if seen {
						w.console("alice@example.com", give)
					} else {
						w.clock.Step(2 * interval(w.connection()))
						w.reconcileConnection()
						w.g.Expect(w.sim.UpdateAccount("alice@example.com", give)).To(Succeed())
					}
					before := w.remote("alice@example.com")
					w.sim.ResetCalls()

					ask(w)
					user := w.settle("alice")

					w.g.Expect(ready(user.Status.Conditions)).To(Equal("False PrivilegedAccount Stalled"))
					w.g.Expect(w.remoteWrites()).To(BeZero())
					w.g.Expect(w.remote("alice@example.com")).To(Equal(before))
					w.g.Expect(w.removals()).To(BeEmpty())
				})
			}
		}
	}
}

// TestProtectionEnds: what keeps an account from being blocked may end with another account, which wakes nobody here.
func TestProtectionEnds(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{NoAdmin: true}, func(c *v1alpha1.MFAConnection) {
		c.Spec.Policy.Roles, c.Spec.Policy.Adoption = allRoles, v1alpha1.ConnectionAdoptionAlways
	})
	w.sim.Seed(mfasim.Account{Login: "boss@example.com", Role: mfasim.RoleAdministrator, Status: mfasim.StatusActivated})
	w.tick(interval(w.connection()) + 1)
	w.apply(w.user("boss"))
	w.sim.ResetCalls()
	w.edit("boss", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) })
	w.g.Expect(ready(w.settle("boss").Status.Conditions)).To(Equal("False ProtectedAccount Stalled"))
	w.g.Expect(w.sim.Calls()).To(BeEmpty(), "the picture tells")

	w.sim.Seed(mfasim.Account{Login: "chief@example.com", Role: mfasim.RoleAdministrator, Status: mfasim.StatusActivated})
	w.drive(2*interval(w.connection()), "boss")
	w.g.Expect(ready(w.get("boss").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remote("boss@example.com").Blocked).To(BeTrue())
}

// TestPrivilegeEnds: an account whose role comes back into the policy is worked on again.
func TestPrivilegeEnds(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") }))
	w.console("alice@example.com", func(a *mfasim.Account) { a.Role, a.FirstName = "HELPDESK", "Else" })
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("False PrivilegedAccount Stalled"))

	w.g.Expect(w.sim.UpdateAccount("alice@example.com", func(a *mfasim.Account) { a.Role = mfasim.RoleUser })).To(Succeed())
	w.drive(2*interval(w.connection()), "alice")
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remote("alice@example.com").FirstName).To(Equal("Alice"))
}

// TestLastAdministratorSinceListing: that another administrator is there is not believed of an old listing.
func TestLastAdministratorSinceListing(t *testing.T) {
	takes := map[string]func(*v1alpha1.MFAUser){
		"block":    func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) },
		"demotion": func(u *v1alpha1.MFAUser) { u.Spec.Role = new(v1alpha1.RoleManager) },
		"demotion to User and a block": func(u *v1alpha1.MFAUser) {
			u.Spec.Role, u.Spec.Access = new(v1alpha1.RoleUser), new(v1alpha1.AccessBlocked)
		},
	}
	losses := map[string]func(*mfasim.Account){
		"blocked": func(a *mfasim.Account) { a.Blocked = true },
		"demoted": func(a *mfasim.Account) { a.Role = mfasim.RoleUser },
	}
	for what, take := range takes {
		for how, lose := range losses {
			t.Run(what+", the other "+how, func(t *testing.T) {
				w := newTestWorld(t, mfasim.Options{NoAdmin: true}, allowAllRoles, func(c *v1alpha1.MFAConnection) {
					c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways
				})
				for _, login := range []string{"boss@example.com", "chief@example.com"} {
					w.sim.Seed(mfasim.Account{Login: login, Role: mfasim.RoleAdministrator, Status: mfasim.StatusActivated})
				}
				w.tick(interval(w.connection()) + 1)
				w.apply(w.user("boss"))
				w.g.Expect(w.sim.UpdateAccount("chief@example.com", lose)).To(Succeed())
				before := w.remote("boss@example.com")

				w.edit("boss", take)
				w.g.Expect(ready(w.settle("boss").Status.Conditions)).To(Equal("False ProtectedAccount Stalled"))
				w.g.Expect(w.remote("boss@example.com")).To(Equal(before))
				w.g.Expect(w.removals()).To(BeEmpty())
			})
		}
	}
}

// TestLastAdministratorThroughAnotherConnection: who waits for another pass to take an administrator's access does not go by a
// listing from before that.
func TestLastAdministratorThroughAnotherConnection(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{NoAdmin: true}, allowAllRoles, func(c *v1alpha1.MFAConnection) {
		c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways
	})
	for _, login := range []string{"boss@example.com", "chief@example.com"} {
		w.sim.Seed(mfasim.Account{Login: login, Role: mfasim.RoleAdministrator, Status: mfasim.StatusActivated})
	}
	w.tick(interval(w.connection()) + 1)
	w.apply(w.user("boss"))
	w.edit("boss", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) })
	conn := w.users.connections.get(w.get("boss").ConnectionKey())
	var once sync.Once
	w.sim.OnCall(func(op string, phase mfasim.Phase) {
		if op == "GetAccount" && phase == mfasim.After {
			once.Do(func() {
				w.clock.Step(time.Second)
				w.g.Expect(conn.inventory.Refresh(w.ctx, w.clock.Now())).To(Succeed())
				w.clock.Step(time.Second)
				w.g.Expect(w.sim.UpdateAccount("chief@example.com", func(a *mfasim.Account) { a.Blocked = true })).To(Succeed())
			})
		}
	})
	w.drive(time.Minute, "boss")
	w.g.Expect(w.remote("boss@example.com").Blocked).To(BeFalse())
	w.g.Expect(ready(w.get("boss").Status.Conditions)).To(Equal("False ProtectedAccount Stalled"))
}

// TestOneAdministratorAtATime: connections to one endpoint wait for each other, those to different ones don't.
func TestOneAdministratorAtATime(t *testing.T) {
	g := NewWithT(t)
	r := newRegistry(nil)
	administrator := mfaclient.Account{Role: mfaclient.RoleAdministrator}
	done := r.guardAdministrators("https://mfa.example.com/eu", administrator)
	r.guardAdministrators("https://mfa.example.com/eu", mfaclient.Account{Role: mfaclient.RoleUser})()
	r.guardAdministrators("https://mfa.example.org/eu", administrator)()
	same := r.administrators[mfaclient.Endpoint("https://MFA.example.com:443/eu/")]
	g.Expect(same.TryLock()).To(BeFalse())
	done()
	g.Expect(same.TryLock()).To(BeTrue())
}
