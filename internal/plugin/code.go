package plugin

import (
	"context"
	"errors"
	"fmt"

	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// codeView is one run of kubectl mfa code.
type codeView struct {
	*session
	reveal, qr bool
}

func newCode(s *session) *cobra.Command {
	v := &codeView{session: s}
	cmd := &cobra.Command{
		Use:   "code USER",
		Short: "Show a person's live code, with its time left and a QR code for a link",
		Long: "Show the live code of an MFAUser from its Secret, for somebody who hands it to the person: whoever has it can enrol as that\n" +
			"person. It is shown on a terminal only; --reveal writes the bare code or link elsewhere. When there is none, it says why.",
		Example: examples(`
			kubectl mfa code alice -n team-a
			kubectl mfa code alice -n team-a --reveal | wl-copy`),
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.users(),
		RunE:              func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), args[0]) },
	}
	cmd.Flags().BoolVar(&v.reveal, "reveal", false, "Write the code although standard output is not a terminal")
	cmd.Flags().BoolVar(&v.qr, "qr", true, "Show a link as a QR code too")
	return cmd
}

func (v *codeView) run(ctx context.Context, name string) error {
	c, namespace, err := v.start()
	if err != nil {
		return err
	}
	user, err := getUser(ctx, c, client.ObjectKey{Namespace: namespace, Name: name})
	if err != nil {
		return err
	}
	if why := noCode(user, v.Clock.Now()); why != "" {
		return errors.New(why)
	}
	live, err := readCode(ctx, c, user, v.Clock.Now())
	if err != nil {
		return err
	}
	switch {
	case isTerminal(v.Out):
		return v.show(user, live)
	case !v.reveal:
		return errors.New("standard output is not a terminal, so the code is not shown; --reveal writes it all the same")
	}
	_, err = fmt.Fprintf(v.Out, "%s\n", live.best().Reveal())
	return err
}

// show is for a person at a terminal.
func (v *codeView) show(user *v1alpha1.MFAUser, live *liveCode) error {
	fmt.Fprintf(v.Out, "%s (%s/%s), for %s\n", user.Spec.Login, user.Namespace, user.Name, live.purpose)
	if !live.expiresAt.IsZero() {
		fmt.Fprintf(v.Out, "runs out in %s, at %s\n", duration.HumanDuration(live.expiresAt.Sub(v.Clock.Now())), live.expiresAt.Local().Format("2006-01-02 15:04"))
	}
	if live.phase == v1alpha1.CodeInactivePhase {
		fmt.Fprintln(v.Out, "not usable yet: spec.code.activation: Now switches it on")
	}
	if !live.code.IsZero() {
		fmt.Fprintf(v.Out, "\ncode:  %s\n", live.code.Reveal())
	}
	if live.link.IsZero() {
		return nil
	}
	fmt.Fprintf(v.Out, "\nlink:  %s\n", live.link.Reveal())
	if v.qr {
		fmt.Fprintln(v.Out)
		qrterminal.GenerateWithConfig(string(live.link.Reveal()), qrterminal.Config{
			Level: qrterminal.L, Writer: v.Out, HalfBlocks: true, QuietZone: 2,
			BlackChar: qrterminal.BLACK_BLACK, BlackWhiteChar: qrterminal.BLACK_WHITE,
			WhiteChar: qrterminal.WHITE_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK,
		})
	}
	return nil
}
