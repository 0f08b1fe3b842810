package controller

import (
	"context"
	"time"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// claim finds the account that is this user's, or learns that there is none yet. Labels, annotations and Secrets prove
// nothing here: a namespace user can write them.
func (r *UserReconciler) claim(ctx context.Context, s *scope) error {
	if err := r.listedOnRequest(ctx, s); err != nil {
		return err
	}
	if err := r.checkRivals(ctx, s); err != nil {
		return err
	}
	if s.user.Status.AccountID != "" {
		return r.holdAccount(ctx, s)
	}
	return r.findAccount(ctx, s)
}

// holdAccount looks at the account whose id is recorded.
func (r *UserReconciler) holdAccount(ctx context.Context, s *scope) error {
	id := s.accountID()
	account, known := s.conn.inventory.ByID(id)
	if !known || s.conn.inventory.Missing(id) {
		gone, wait, err := s.conn.inventory.Gone(ctx, id)
		switch {
		case err != nil:
			return err
		case gone:
			return r.loseAccount(ctx, s)
		case wait > 0:
			return waitingFor(v1alpha1.ReasonAccountMissing, "the account is missing from the service; that is being confirmed before it is made again", wait)
		}
		account, known = s.conn.inventory.ByID(id)
		if !known {
			return waitingFor(v1alpha1.ReasonProgressing, "the account has just been found again", time.Second)
		}
	}
	return r.accept(s, account)
}

// loseAccount notes that the account is gone for good. syncAccount makes another, unless the manifest says Observe, or
// somebody else has the login by now.
func (r *UserReconciler) loseAccount(ctx context.Context, s *scope) error {
	s.open = true
	s.account = nil
	s.user.Status.State, s.user.Status.Devices = "", nil
	if code := s.user.Status.Code; code != nil && live(code) {
		// A code is made for one identity: it went with the account.
		if err := r.endCode(ctx, s, v1alpha1.CodeExpired); err != nil {
			return err
		}
	}
	if other, taken := s.conn.inventory.ByLogin(s.user.Spec.Login); taken && other.ID != s.accountID() {
		return r.findAccount(ctx, s)
	}
	return nil
}

// accept takes an account as this user's if login and role permit. It is the gate before every write.
func (r *UserReconciler) accept(s *scope, account mfaclient.Account) error {
	reason, message := rules.AcceptRefusal(s.connObject, s.user, account)
	if reason == v1alpha1.ReasonPrivilegedAccount {
		s.show(account)
	}
	if reason != "" {
		return stalled(reason, message)
	}
	s.see(account)
	return nil
}

// findAccount looks for an account with the user's login and decides whether it is, or may become, the user's.
func (r *UserReconciler) findAccount(ctx context.Context, s *scope) error {
	if intent := s.user.Status.Creating; intent != nil {
		// A creation may have been carried out without an answer: only a listing begun after it can tell.
		if err := r.listedSince(ctx, s, intent.At.Time); err != nil {
			return err
		}
	}
	account, exists := s.conn.inventory.ByLogin(s.user.Spec.Login)
	if !rules.MayBeMaking(s.user, s.now) {
		// Too old to prove anything: whoever has the login by now may have got it long after our call.
		s.user.Status.Creating = nil
	}
	switch {
	case !exists:
		return nil
	case s.user.Status.Creating != nil && rules.MadeByUs(account):
		return r.resumeCreation(ctx, s, account)
	}
	if err := mayBegin(s); err != nil {
		return err
	}
	if !r.own.shownBy(s.connObject) {
		// The removal that gives the account back may be on record and not in the cache's copy.
		var object v1alpha1.MFAConnection
		if err := r.live.Get(ctx, s.conn.key, &object); err != nil {
			return err
		}
		s.connObject = &object
	}
	if removal := rules.ReleasedRemoval(s.connObject, s.user, account, s.now); removal != nil {
		return r.takeBack(s, account, *removal)
	}
	return r.adopt(s, account)
}

// resumeCreation takes up an account whose creation was not answered. Its code was seen by nobody unless the Secret
// holds it, so it is asked for once more: recorded now, done by syncCode.
func (r *UserReconciler) resumeCreation(ctx context.Context, s *scope, account mfaclient.Account) error {
	intent := rules.CreationRequest(s.user).Intent(s.now)
	// Before anything is noted: a read that fails must leave the creation open.
	answered, err := r.answersCreation(ctx, s, account.ID, intent)
	if err != nil {
		return err
	}
	if err := r.accept(s, account); err != nil {
		return err
	}
	s.user.Status.Creating = nil
	if !answered {
		rules.NoteHandled(s.user) // the code that is asked for once more is also what was asked for meanwhile
	}
	if answered || s.user.Spec.Code.WantedGeneration() > 0 {
		s.issuing(intent)
	}
	s.did("Created", "Create", "found the account whose creation was not answered")
	return r.recordIntent(ctx, s)
}

// answersCreation tells whether the code that came with the account is in its Secret. Then the intent is made what was asked
// for, whatever the manifest says by now: that counts from the next code on.
func (r *UserReconciler) answersCreation(ctx context.Context, s *scope, id mfaclient.AccountID, intent *v1alpha1.CodeIntent) (bool, error) {
	stored, err := r.readCodeSecret(ctx, s)
	if _, foreign := isOutcome(err); foreign {
		return false, nil // syncCode says so
	}
	if err != nil || !stored.answers(intent, id) {
		return false, err
	}
	if _, known := remoteCodeTypes[stored.codeType]; known {
		intent.Type = stored.codeType
	}
	if !toSecret(intent.Delivery) || intent.Type != v1alpha1.CodeLink {
		intent.Delivery = v1alpha1.DeliverySecret
	}
	return true, nil
}

// takeBack gives an account that our own removal had left behind to the manifest that came back.
func (r *UserReconciler) takeBack(s *scope, account mfaclient.Account, removal v1alpha1.Removal) error {
	if err := r.accept(s, account); err != nil {
		return err
	}
	s.takeUp()
	s.user.Status.BlockedByRemoval = removal.Action == v1alpha1.RemovalBlock && account.Blocked
	r.recordHandled(s.user)
	s.did("Returned", "Adopt", "took up the account that an earlier removal of this MFAUser had left")
	return nil
}

// adopt takes over an existing account where the user asks for it and the connection's owner allows it.
func (r *UserReconciler) adopt(s *scope, account mfaclient.Account) error {
	if reason, message := rules.AdoptionRefusal(s.connObject, s.user, account); reason != "" {
		return stalled(reason, message)
	}
	if err := r.accept(s, account); err != nil {
		return err
	}
	s.takeUp()
	s.user.Status.BlockedByRemoval = false // of an account before this one
	r.recordHandled(s.user)
	s.did("Adopted", "Adopt", "adopted the existing account; nothing was issued")
	return nil
}

// takeUp notes that the account was there before. Its groups are not in the listing: they count as differing until they are read.
func (s *scope) takeUp() {
	s.open, s.takenUp = true, true
	if s.user.Spec.Groups != nil {
		s.markDiffering([]string{"groups"})
	}
}

// recordHandled notes the stated code requests as dealt with: an account that was there before gets nothing issued.
func (r *UserReconciler) recordHandled(user *v1alpha1.MFAUser) {
	user.Status.Creating = nil
	user.Status.Code, user.Status.CodeRefusal = nil, nil // of an account before this one
	rules.NoteHandled(user)
	r.leftCodes.takeUp(user, r.now())
}
