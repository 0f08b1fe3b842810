package controller

import (
	"net/http"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// doneStates are those in which the operator has done its part, or is asked to do nothing.
var doneStates = map[string]state{
	"reconciled":    {ready: reconciledT, happens: applied()},
	"not-seen-anew": {ready: reconciledT, happens: then(applied(), func(w *testWorld) { w.edit("alice", rename) })},
	"no-code":       {ready: reconciledT, happens: then(alreadyThere, administered, applied(withoutCode))},
	"enrolled":      {ready: reconciledT, happens: then(applied(), inServiceState(mfasim.StatusActivated))},
	"pin-blocked":   {ready: reconciledT, happens: then(applied(), inServiceState(mfasim.StatusPINBlocked))},
	"unheard-of":    {ready: reconciledT, happens: then(applied(), inServiceState("FROZEN"))},
	"blocked":       {ready: reconciledT, happens: applied(block)},

	"code-inactive":        {ready: reconciledT, happens: applied(inactiveCode)},
	"code-expired":         {ready: reconciledT, happens: then(applied(), waits(22*24*time.Hour))},
	"code-lost":            {ready: reconciledT, happens: then(applied(), secretDeleted)},
	"code-superseded":      {ready: reconciledT, happens: then(applied(inactiveCode), codeFromConsole, changed(activateCode))},
	"code-refused-by-hand": {ready: reconciledT, happens: then(applied(), func(w *testWorld) { w.ask("Unlock/1") })},

	"changes-pending": {ready: "True ChangesPending", happens: then(applied(), changed(observe), changed(rename))},
	// Nobody writes under Observe, so what was begun before it stays open.
	"code-issuing": {ready: reconciledT, happens: then(
		applied(), waits(22*24*time.Hour), meeting("IssueCode", answering(http.StatusInternalServerError)), edited(secondCode), changed(observe))},

	"suspended":             {ready: "True Suspended", happens: then(applied(), changed(suspend))},
	"suspended-not-created": {ready: "False Suspended", happens: applied(suspend)},
	"suspended-in-trouble":  {ready: "False Suspended", happens: then(applied(), changed(unknownGroup), changed(suspend))},
	"suspended-not-seen":    {ready: reconciledT, happens: then(applied(), func(w *testWorld) { w.edit("alice", suspend) })},
}

func secretDeleted(w *testWorld) {
	w.deleteObject(w.secret("alice"))
	w.settle("alice")
}

// codeFromConsole cancels the operator's code.
func codeFromConsole(w *testWorld) {
	_, err := w.sim.IssueCode(aliceLogin, "ENROLLMENT", 0)
	w.g.Expect(err).NotTo(HaveOccurred())
}
