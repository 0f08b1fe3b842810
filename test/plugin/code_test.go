package plugin

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/plugin"
)

// atTerminal runs kubectl mfa with a pseudo-terminal for all streams, and returns what a person would see.
func (w *world) atTerminal(args ...string) ran { return w.atTerminalBut(nil, args...) }

// atTerminalBut is atTerminal with standard error sent elsewhere, unless elsewhere is nil.
func (w *world) atTerminalBut(elsewhere io.Writer, args ...string) ran {
	w.t.Helper()
	screen, keyboard, err := pty.Open()
	w.g.Expect(err).NotTo(HaveOccurred())
	seen := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(screen) // ends with an error of its own when the other side is closed
		seen <- string(text)
	}()
	streams := genericiooptions.IOStreams{In: keyboard, Out: keyboard, ErrOut: keyboard}
	if elsewhere != nil {
		streams.ErrOut = elsewhere
	}
	code := plugin.Run(w.ctx, w.options(streams, args))
	w.g.Expect(keyboard.Close()).To(Succeed())
	text := strings.ReplaceAll(<-seen, "\r\n", "\n")
	w.g.Expect(screen.Close()).To(Succeed())
	return ran{code: code, out: text}
}

// codeSecret reads the code Secret of a user.
func (w *world) codeSecret(name string) *corev1.Secret {
	w.t.Helper()
	var secret corev1.Secret
	w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name + "-mfa"}, &secret)).To(Succeed())
	return &secret
}

// TestCode: a live code is shown to a person at a terminal, a link as a QR code too, and to nobody else unless he insists.
func TestCode(t *testing.T) {
	w := newWorld(t)
	w.create(w.user("alice"), w.user("bob", func(u user) { u.Spec.Code.Type = v1alpha1.CodeShort }), w.user("carol", func(u user) { u.Spec.Code.Type = v1alpha1.CodeInactive }))
	w.operate()
	for _, name := range []string{"alice", "bob", "carol"} {
		w.settled(name)
	}
	data := w.codeSecret("alice").Data
	code, link := string(data[v1alpha1.KeyCode]), string(data[v1alpha1.KeyLink])

	shown := w.atTerminal("code", "alice")
	w.g.Expect(shown.code).To(BeZero(), shown.out)
	w.g.Expect(shown.out).To(HavePrefix("alice@example.com (" + w.namespace + "/alice), for Enrollment\nruns out in 20d"))
	w.g.Expect(shown.out).To(ContainSubstring("\ncode:  " + code + "\n"))
	w.g.Expect(shown.out).To(ContainSubstring("\nlink:  " + link + "\n"))
	w.g.Expect(strings.Count(shown.out, "█")).To(BeNumerically(">", 100), "a QR code")
	w.g.Expect(w.atTerminal("code", "alice", "--qr=false").out).NotTo(ContainSubstring("█"))

	short := w.atTerminal("code", "bob")
	w.g.Expect(short.out).To(ContainSubstring("runs out in 14m"))
	w.g.Expect(short.out).NotTo(ContainSubstring("█"), "no link, no QR code")
	w.g.Expect(w.atTerminal("code", "carol").out).To(ContainSubstring("not usable yet"))

	piped := w.mfa("code", "alice")
	w.g.Expect(piped.code).To(Equal(1))
	w.g.Expect(piped.err).To(ContainSubstring("standard output is not a terminal"))
	w.g.Expect(piped.out + piped.err).NotTo(Or(ContainSubstring(code), ContainSubstring(link)))
	w.g.Expect(w.mfa("code", "alice", "--reveal").out).To(Equal(link + "\n"))
	w.g.Expect(w.mfa("code", "bob", "--reveal").out).To(Equal(string(w.codeSecret("bob").Data[v1alpha1.KeyCode]) + "\n"))
}

// TestCodeThatIsNot: why there is none, in each phase.
func TestCodeThatIsNot(t *testing.T) {
	w := newWorld(t)
	anHourAgo := &metav1.Time{Time: time.Now().Add(-time.Hour)}
	cases := map[string]struct {
		status v1alpha1.MFAUserStatus
		want   string
	}{
		"no-account": {v1alpha1.MFAUserStatus{}, "has no account yet: RateLimited: as it is"},
		"none":       {v1alpha1.MFAUserStatus{AccountID: "1"}, "no code was asked for"},
		"issuing":    {v1alpha1.MFAUserStatus{AccountID: "1", Code: &v1alpha1.CodeStatus{Phase: v1alpha1.CodeIssuing}}, "is not there yet"},
		"used":       {v1alpha1.MFAUserStatus{AccountID: "1", Code: &v1alpha1.CodeStatus{Phase: v1alpha1.CodeUsed}}, "the person used the code"},
		"expired":    {v1alpha1.MFAUserStatus{AccountID: "1", Code: &v1alpha1.CodeStatus{Phase: v1alpha1.CodeExpired, ExpiresAt: anHourAgo}}, "ran out unused 60m ago"},
		"superseded": {v1alpha1.MFAUserStatus{AccountID: "1", Code: &v1alpha1.CodeStatus{Phase: v1alpha1.CodeSuperseded}}, "cancelled this one"},
		"lost":       {v1alpha1.MFAUserStatus{AccountID: "1", Code: &v1alpha1.CodeStatus{Phase: v1alpha1.CodeLost}}, "was deleted, and is not filled again"},
		"refused": {v1alpha1.MFAUserStatus{AccountID: "1", Code: &v1alpha1.CodeStatus{Phase: v1alpha1.CodeRefused},
			CodeRefusal: &v1alpha1.CodeRefusal{Request: "generation/2", Message: "the account is blocked"}}, "refused: the account is blocked"},
		"mailed": {v1alpha1.MFAUserStatus{AccountID: "1", Code: &v1alpha1.CodeStatus{Phase: v1alpha1.CodeActive, Delivery: v1alpha1.DeliveryEmail, EmailedAt: anHourAgo}},
			"was mailed by the service 60m ago"},
		"gone": {v1alpha1.MFAUserStatus{AccountID: "1", Code: &v1alpha1.CodeStatus{Phase: v1alpha1.CodeActive}}, "it does not exist; somebody has deleted it"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w.stand(name, metav1.ConditionFalse, v1alpha1.ReasonRateLimited, func(s *v1alpha1.MFAUserStatus) {
				tc.status.Conditions = s.Conditions
				*s = tc.status
			})
			for _, flags := range [][]string{nil, {"--reveal"}} { // that there is none goes before where it would be shown
				got := w.mfa(append([]string{"code", name}, flags...)...)
				g := NewWithT(t)
				g.Expect(got.code).To(Equal(1))
				g.Expect(got.out).To(BeEmpty())
				g.Expect(got.err).To(ContainSubstring(tc.want))
			}
		})
	}
	w.g.Expect(w.mfa("code", "nobody").err).To(ContainSubstring("it does not exist; kubectl mfa status -A"))
}

// TestCodeOfAnother: what somebody else has put where the code is expected is not shown. A link of his could enrol anybody.
func TestCodeOfAnother(t *testing.T) {
	w := newWorld(t)
	active := func(s *v1alpha1.MFAUserStatus) {
		s.AccountID, s.Code = "1", &v1alpha1.CodeStatus{Phase: v1alpha1.CodeActive}
	}
	owned := func(owner *v1alpha1.MFAUser) []metav1.OwnerReference {
		return []metav1.OwnerReference{*metav1.NewControllerRef(owner, v1alpha1.SchemeGroupVersion.WithKind("MFAUser"))}
	}
	w.stand("other", metav1.ConditionTrue, v1alpha1.ReasonReconciled, active)
	cases := map[string]struct {
		edit func(*corev1.Secret)
		want string
	}{
		"opaque":   {func(s *corev1.Secret) { s.Type = corev1.SecretTypeOpaque }, "its type is Opaque"},
		"foreign":  {func(s *corev1.Secret) { s.OwnerReferences = owned(w.get("other")) }, "it has another owner"},
		"nobodies": {func(s *corev1.Secret) { s.OwnerReferences = nil }, "it has another owner"},
		"playful":  {func(s *corev1.Secret) { s.Data[v1alpha1.KeyCode] = []byte("\x1b[2Jevil") }, "can't be printed"},
		"emptied":  {func(s *corev1.Secret) { delete(s.Data, v1alpha1.KeyLink) }, "holds no code any more"},
		"late": {func(s *corev1.Secret) {
			s.Data[v1alpha1.KeyExpiresAt] = []byte(time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
		}, "the code ran out 60m ago"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			w.stand(name, metav1.ConditionTrue, v1alpha1.ReasonReconciled, active)
			secret := &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name + "-mfa", OwnerReferences: owned(w.get(name))},
				Type:       v1alpha1.SecretType, Data: map[string][]byte{v1alpha1.KeyLink: []byte("https://evil.example.com/")},
			}
			tc.edit(secret)
			w.create(secret)
			got := w.atTerminal("code", name)
			g.Expect(got.code).To(Equal(1))
			g.Expect(got.out).To(ContainSubstring(tc.want))
			g.Expect(got.out).NotTo(ContainSubstring("evil"))
		})
	}
}
