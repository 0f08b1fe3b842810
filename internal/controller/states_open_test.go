package controller

import (
	"io"
	"net/http"
	"time"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// answering is a fault that answers with a status.
func answering(status int) mfasim.Fault {
	return mfasim.Fault{Kind: mfasim.FaultStatus, Status: status}
}

// openStates are those in which work goes on by itself.
var openStates = map[string]state{
	"not-seen":           {ready: " ", happens: func(w *testWorld) { w.create(w.user("alice")) }},
	"progressing":        {ready: "False Progressing Reconciling", happens: then(applied(), meeting("UpdateAccount", answering(http.StatusConflict)), edited(rename))},
	"not-created":        {ready: "False ServiceUnavailable Reconciling", happens: then(meeting("CreateAccount", answering(http.StatusInternalServerError)), created())},
	"malformed-response": {ready: "False MalformedResponse Reconciling", happens: then(meeting("CreateAccount", mfasim.Fault{Kind: mfasim.FaultNotJSON}), created())},
	"rate-limited":       {ready: "False RateLimited Reconciling", happens: then(meeting("CreateAccount", mfasim.Fault{Kind: mfasim.FaultStatus, Status: 429, RetryAfter: "60"}), created())},
	"quota-exceeded":     {ready: "False QuotaExceeded Reconciling", happens: then(meeting("CreateAccount", mfasim.Fault{Kind: mfasim.FaultNOKBody}), created())},
	"internal-error":     {ready: "False InternalError Reconciling", happens: then(refusedFinalizers, created())},
	"account-missing":    {ready: "False AccountMissing Reconciling", happens: applied(observe)},
	"code-limit-reached": {ready: "False CodeLimitReached Reconciling", happens: then(applied(), fourMoreCodes, func(w *testWorld) { w.raise() })},
	"code-unanswered":    {ready: "False ServiceUnavailable Reconciling", happens: then(applied(), meeting("IssueCode", answering(http.StatusInternalServerError)), edited(secondCode))},
	"connection-not-ready": {ready: "False ConnectionNotReady Reconciling", happens: then(
		withToken(func(*testWorld) string { return "nobody-knows-this-one" }), created())},
	"connection-not-found": {ready: "False ConnectionNotFound Reconciling", happens: created(func(u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Name = "misspelt" })},
	"namespace-not-watched": {ready: "False NamespaceNotWatched Stalled", happens: func(w *testWorld) {
		w.watchOnly(w.namespace)
		created()(w)
	}},
	"selector-unusable": {ready: "False SelectorUnusable Stalled", happens: func(w *testWorld) {
		w.watchOnly(w.namespace, w.mfaNamespace)
		created()(w)
	}},
	"connection-deleting": {ready: "False ConnectionDeleting Reconciling", happens: func(w *testWorld) {
		w.apply(w.user("bob"))
		w.deleteObject(w.getConnection())
		w.drive(time.Minute, "bob")
		created()(w)
	}},
}

func fourMoreCodes(w *testWorld) {
	for range 4 {
		w.raise()
		w.clock.Step(time.Minute)
	}
}

// stalledStates are those in which somebody has to act.
var stalledStates = map[string]state{
	"not-allowed":        {ready: "False NotAllowed Stalled", happens: applied(promote)},
	"account-conflict":   {ready: "False AccountConflict Stalled", happens: then(alreadyThere, applied())},
	"duplicate-login":    {ready: duplicate, happens: then(func(w *testWorld) { w.apply(w.user("alison", loginOf(aliceLogin))) }, applied())},
	"privileged-account": {ready: "False PrivilegedAccount Stalled", happens: then(applied(), elsewhere(func(a *mfasim.Account) { a.Role = mfasim.RoleManager }))},
	"protected-account":  {ready: "False ProtectedAccount Stalled", happens: then(administered, applied(loginOf(mfasim.DefaultAdminLogin)), changed(block))},
	"identity-mismatch": {ready: "False IdentityMismatch Stalled", happens: then(applied(),
		elsewhere(func(a *mfasim.Account) { a.Login = "mallory@example.com" }))},
	"secret-conflict": {ready: "False SecretConflict Stalled", happens: func(w *testWorld) {
		foreign := w.tokenSecret("theirs")
		foreign.Namespace, foreign.Name, foreign.Labels = w.namespace, "alice-mfa", nil
		w.create(foreign)
		applied()(w)
	}},
	"code-refused":    {ready: "False CodeRefused Stalled", happens: then(applied(), inServiceState(mfasim.StatusActivated), changed(unlockCode))},
	"request-refused": {ready: "False RequestRefused Stalled", happens: then(applied(), meeting("UpdateAccount", answering(http.StatusBadRequest)), edited(rename))},
	"denied":          {ready: "False Denied Stalled", happens: then(applied(), meeting("UpdateAccount", answering(http.StatusForbidden)), edited(rename))},
	"group-not-found": {ready: "False GroupNotFound Stalled", happens: then(applied(), changed(unknownGroup))},
	"not-converging":  {ready: notConverging, happens: then(applied(), (*testWorld).forgetful, changed(rename))},
	"removal-held":    {ready: held, edits: []func(*v1alpha1.MFAConnection){limitOf(0)}, happens: then(applied(), changed(block))},
}

// forgetful lets the service answer changes, and make none.
func (w *testWorld) forgetful() {
	w.putBetween(func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
		if r.Method == http.MethodPatch {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Method, r.Body, r.ContentLength = http.MethodGet, http.NoBody, 0
		}
		sim.ServeHTTP(out, r)
	})
}

// administered lets privileged accounts be adopted.
func administered(w *testWorld) {
	w.editConnection(func(c *v1alpha1.MFAConnection) {
		c.Spec.Policy.Roles, c.Spec.Policy.Adoption = allRoles, v1alpha1.ConnectionAdoptionAlways
	})
}

// deletedStates are those of a manifest that was removed and is not gone yet.
var deletedStates = map[string]state{
	"deleting": {ready: "False Deleting Reconciling", happens: then(applied(), meeting("UpdateAccount", answering(http.StatusConflict)), removed)},
	"deleting-unavailable": {ready: "False ServiceUnavailable Reconciling", happens: then(
		applied(), meeting("UpdateAccount", answering(http.StatusInternalServerError)), removed)},
	"deleting-unclear": {ready: "False OrphanUnclear Stalled", happens: then(applied(), changed(func(u *v1alpha1.MFAUser) {
		u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "yes"}
	}), removed)},
	"deleting-held":     {ready: held, edits: []func(*v1alpha1.MFAConnection){limitOf(0)}, happens: then(applied(), removed)},
	"deleting-not-seen": {ready: reconciledT, happens: then(applied(), func(w *testWorld) { w.remove("alice") })},
}
