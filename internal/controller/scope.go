package controller

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// scope is one pass over one MFAUser: what was read, what the steps found, and what finish has to write.
type scope struct {
	user *v1alpha1.MFAUser // its status is changed in place
	base *v1alpha1.MFAUser // as it is in the cluster, as far as this pass knows
	now  time.Time

	// Set by connect.
	connObject *v1alpha1.MFAConnection
	conn       *connection
	client     *mfaclient.Client
	claims     mfaclient.Claims

	// account is the remote account once claim has found it ours or syncAccount has made it; nil while there is none.
	account *mfaclient.Account
	// made is true when this pass has made the account: nobody can have used it yet.
	made bool
	// fresh is true once this pass has read the account from the service itself.
	fresh bool
	// takenUp is true once this pass has taken up an account that was there before: what status says may be of another.
	takenUp bool
	// stateShown is true once this pass has seen the account's state; else status has the one of an earlier pass.
	stateShown bool
	// observed is true once the pass has got through to what it leaves behind.
	observed bool
	// secretState is the account's state as the code's Secret shows it, as far as this pass knows.
	secretState v1alpha1.AccountState
	// stored is true when this pass has handed out a code, or found it in the Secret.
	stored bool
	// pending names the differing fields that may not be written (managementPolicy Observe).
	pending []string
	// again names the fields that the service did not keep and that are written once more, unkept those given up.
	again, unkept []string
	// mailWaits is true while the link is not mailed because the account has another address than the one stated.
	mailWaits bool
	// open is true while there is work that the manifest asks for and that is not known to be done. Only then does
	// trouble of the connection show on the user.
	open bool
	// requested is the new value of reconcile-requested-at, if there is one.
	requested string
	// released is true once the finalizer is off: there is nothing left to report on.
	released bool
	// wakeIn is when the next pass is due without being woken; 0 for never.
	wakeIn time.Duration
	// done lists what was changed, for events.
	done []deed
}

// deed is something that a pass did and that an event tells of.
type deed struct{ kind, reason, action, note string }

func newScope(user *v1alpha1.MFAUser, now time.Time) *scope {
	s := &scope{user: user, base: user.DeepCopy(), now: now, secretState: user.Status.State}
	if at := user.Annotations[v1alpha1.AnnotationReconcileRequestedAt]; at != user.Status.HandledReconcileRequest {
		s.requested = at
	}
	ready := readyOf(user.Status.Conditions)
	s.open = ready.Status != metav1.ConditionTrue || user.Status.ObservedGeneration != user.Generation || s.deleting() ||
		user.Status.Creating != nil || s.pendingCode() != nil || s.requested != "" || rules.StatedRequest(user) != nil
	return s
}

func (s *scope) deleting() bool { return !s.user.DeletionTimestamp.IsZero() }

func (s *scope) observeOnly() bool { return s.user.Spec.ManagementPolicy == v1alpha1.ManagementObserve }

func (s *scope) pendingCode() *v1alpha1.CodeIntent {
	if s.user.Status.Code == nil {
		return nil
	}
	return s.user.Status.Code.Pending
}

func (s *scope) accountID() mfaclient.AccountID { return mfaclient.AccountID(s.user.Status.AccountID) }

// wakeAt asks for a pass at the given time, unless an earlier one is asked for already.
func (s *scope) wakeAt(at time.Time) {
	wait := max(at.Sub(s.now), time.Millisecond)
	if s.wakeIn == 0 || wait < s.wakeIn {
		s.wakeIn = wait
	}
}

func (s *scope) did(reason, action, note string) {
	s.done = append(s.done, deed{corev1.EventTypeNormal, reason, action, note})
}

// warn is did for what somebody should look at.
func (s *scope) warn(reason, action, note string) {
	s.done = append(s.done, deed{corev1.EventTypeWarning, reason, action, note})
}

// mark sets a condition that states a fact. finish sets Ready, Reconciling and Stalled.
func (s *scope) mark(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&s.user.Status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: s.user.Generation, LastTransitionTime: metav1.NewTime(s.now),
	})
}

// see records an account as it was just found.
func (s *scope) see(account mfaclient.Account) {
	s.account = &account
	s.user.Status.AccountID = string(account.ID)
	s.show(account)
}

// show notes the state in which an account was just found.
func (s *scope) show(account mfaclient.Account) {
	s.user.Status.State = rules.State(account.State)
	s.stateShown = true
}
