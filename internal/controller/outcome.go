package controller

import (
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// class is what an ended pass means for the next one.
type class int

const (
	// classDone: the manifest is done.
	classDone class = iota
	// classQuiet: nothing can be said now; status stays, and something else wakes the user.
	classQuiet
	// classSuspended: the manifest asks for no work; status stays but for the reason.
	classSuspended
	// classWait: goes on by itself, when woken or after a fixed time.
	classWait
	// classRetry: goes on by itself, after a growing delay.
	classRetry
	// classStalled: somebody has to act.
	classStalled
)

// outcome is how a pass ended. As an error it is how a step stops the pass with a verdict of its own.
type outcome struct {
	class   class
	reason  string
	message string
	after   time.Duration
}

func (o *outcome) Error() string { return o.reason + ": " + o.message }

// minWait is the shortest fixed wait.
const minWait = time.Second

func quiet() error { return &outcome{class: classQuiet} }

func suspended() error {
	return &outcome{class: classSuspended, reason: v1alpha1.ReasonSuspended, message: "spec.suspend is true; nothing is done until it is false"}
}

func waiting(reason, message string) error { return waitingFor(reason, message, 0) }

func waitingFor(reason, message string, after time.Duration) error {
	return &outcome{class: classWait, reason: reason, message: message, after: after}
}

func stalled(reason, message string) error { return stalledFor(reason, message, 0) }

// stalledFor also looks again after a while, for causes whose end wakes nobody.
func stalledFor(reason, message string, after time.Duration) error {
	return &outcome{class: classStalled, reason: reason, message: message, after: after}
}

func isOutcome(err error) (*outcome, bool) { return errors.AsType[*outcome](err) }

const messageSlowDown = "the service asked to slow down; the work goes on after the pause"

const messageQuota = "the service has no licence left for another account; one creation is tried per interval"

// classify is the one table from fault to outcome. Its sentences are fixed: nothing of an answer reaches status.
func classify(err error) outcome {
	if err == nil {
		return outcome{class: classDone, reason: v1alpha1.ReasonReconciled, message: "the account is as stated"}
	}
	if o, ok := isOutcome(err); ok {
		return *o
	}
	if apierrors.IsConflict(err) {
		// A stale copy met the lock. The newer one is on its way; what it says will be written then.
		return outcome{class: classQuiet, after: minWait}
	}
	if errors.Is(err, inventory.ErrListingIncomplete) {
		return outcome{class: classWait, reason: v1alpha1.ReasonConnectionNotReady, message: "the listing is not complete, see the MFAConnection", after: time.Minute}
	}
	e := asClientError(err)
	if e.Operation == operationListing && !passing(err) {
		return outcome{class: classWait, reason: v1alpha1.ReasonConnectionNotReady, message: "the accounts can't be listed, see the MFAConnection; the work goes on once they can", after: rejectedProbeEvery}
	}
	switch kindOf(e) {
	case mfaclient.KindUnauthenticated:
		return outcome{class: classWait, reason: v1alpha1.ReasonConnectionNotReady, message: "the service refuses the token, see the MFAConnection; the work goes on once it is mended"}
	case mfaclient.KindDenied:
		return outcome{class: classStalled, reason: v1alpha1.ReasonDenied, message: "the token has no right to do this to this account; ask the administrator of the service", after: deniedRetry}
	case mfaclient.KindRateLimited:
		return outcome{class: classWait, reason: v1alpha1.ReasonRateLimited, message: messageSlowDown, after: max(e.RetryAfter, minWait)}
	case mfaclient.KindQuotaExceeded:
		return outcome{class: classWait, reason: v1alpha1.ReasonQuotaExceeded, message: messageQuota, after: deniedRetry}
	case mfaclient.KindConflict:
		if e.Operation != operationCreation {
			return outcome{class: classRetry, reason: v1alpha1.ReasonProgressing,
				message: "the service refuses a change that conflicts with what it holds; should that last, see whether another account has one of the stated values"}
		}
		return outcome{class: classRetry, reason: v1alpha1.ReasonProgressing, message: "the login is taken; looking at whose account it is"}
	case mfaclient.KindInvalid:
		if !slices.Contains(stating, e.Operation) {
			return outcome{class: classStalled, reason: v1alpha1.ReasonRequestRefused, after: deniedRetry,
				message: "the service refuses a call as wrong, which is tried again every ten minutes; see whether the API's calls are those of this service (--api-overrides)"}
		}
		return outcome{class: classStalled, reason: v1alpha1.ReasonRequestRefused, message: "the service refuses what the manifest asks as wrong; correct the manifest"}
	case mfaclient.KindUnavailable:
		return outcome{class: classRetry, reason: v1alpha1.ReasonServiceUnavailable, message: "the service can't be reached or answers with errors; tried again with growing delays"}
	case mfaclient.KindMalformed:
		return outcome{class: classRetry, reason: v1alpha1.ReasonMalformedResponse, message: "the service's answer can't be understood; tried again with growing delays"}
	case mfaclient.KindNotFound:
		return outcome{class: classRetry, reason: v1alpha1.ReasonProgressing, message: "the service no longer knows what was asked for; looking again"}
	}
	return outcome{class: classRetry, reason: v1alpha1.ReasonInternalError, message: "an unexpected error in the cluster, see the operator's log; tried again with growing delays"}
}

// kindOf is the kind of a fault. An outage that pauses the connection (503) is a request to slow down like any other: during
// the pause every pass meets the gate, and the reason must not change to and fro.
func kindOf(e *mfaclient.Error) mfaclient.Kind {
	if e.Kind == mfaclient.KindUnavailable && e.RetryAfter > 0 {
		return mfaclient.KindRateLimited
	}
	return e.Kind
}

// deniedRetry is how often something is tried again that the service will not have: rights and licences are given elsewhere.
const deniedRetry = 10 * time.Minute

// operationListing is the call on which a connection stands or falls.
const operationListing = "ListAccounts"

// stating are the calls that carry what a manifest states. One that is refused as wrong stays so until the manifest changes.
var stating = []string{operationCreation, "UpdateAccount", "PutMembership"}

// operationCreation is the call whose conflict means that the login is taken.
const operationCreation = "CreateAccount"

// againstConnection tells whether a fault of a user's call speaks against the connection as a whole.
func againstConnection(err error) bool {
	e := asClientError(err)
	return e.Kind == mfaclient.KindUnauthenticated || errors.Is(err, inventory.ErrListingIncomplete) ||
		e.Operation == operationListing && e.Kind != mfaclient.KindRateLimited
}

// passing tells whether a fault is one of the service or the way to it, which says nothing about a user without open work.
func passing(err error) bool {
	switch asClientError(err).Kind {
	case mfaclient.KindUnauthenticated, mfaclient.KindRateLimited, mfaclient.KindUnavailable, mfaclient.KindMalformed:
		return true
	}
	return errors.Is(err, inventory.ErrListingIncomplete)
}
