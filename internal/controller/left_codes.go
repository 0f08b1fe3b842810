package controller

import (
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// leftCodes remembers when the codes of the last hour were asked for, of accounts whose MFAUser has gone. The allowance is the
// account's: a manifest that comes and goes must not get its person mailed without end.
type leftCodes struct {
	mu        sync.Mutex
	byAccount map[string][]metav1.Time // the key tells the connection too
}

func newLeftCodes() *leftCodes { return &leftCodes{byAccount: map[string][]metav1.Time{}} }

// leave notes the codes of an MFAUser that goes. Doing so twice is harmless.
func (l *leftCodes) leave(user *v1alpha1.MFAUser, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, times := range l.byAccount {
		if len(recentCodes(times, now)) == 0 {
			delete(l.byAccount, key)
		}
	}
	if times := recentCodes(user.Status.CodeTimes, now); user.Status.AccountID != "" && len(times) > 0 {
		l.byAccount[accountIndexKey(user.ConnectionKey(), user.Status.AccountID)] = times
	}
}

// takeUp gives the codes of an account to the MFAUser that has just got it.
func (l *leftCodes) takeUp(user *v1alpha1.MFAUser, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	left, ok := l.byAccount[accountIndexKey(user.ConnectionKey(), user.Status.AccountID)]
	if !ok {
		return
	}
	times := slices.Concat(recentCodes(user.Status.CodeTimes, now), recentCodes(left, now))
	slices.SortFunc(times, func(a, b metav1.Time) int { return a.Compare(b.Time) })
	user.Status.CodeTimes = times[max(0, len(times)-codesPerHour):]
}
