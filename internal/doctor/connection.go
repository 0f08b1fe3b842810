package doctor

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// connection looks at one connection: what the operator says of it, and how it stands as seen from here.
func (d *Doctor) connection(ctx context.Context, conn *v1alpha1.MFAConnection) {
	about := "connection " + conn.Namespace + "/" + conn.Name
	if !conn.DeletionTimestamp.IsZero() {
		d.warn(about, "it is being deleted", "delete its MFAUsers, or let them go with the annotation "+v1alpha1.AnnotationOrphan+`: "true"`)
	}
	works := d.operatorsView(about, conn)
	d.certificates(about, conn)
	token, readable := d.token(ctx, about, conn)
	d.reach(ctx, about, conn, token, readable, works)
}

// operatorsView repeats the conditions, and tells whether the operator can use the connection.
func (d *Doctor) operatorsView(about string, conn *v1alpha1.MFAConnection) (works bool) {
	ready := meta.FindStatusCondition(conn.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		d.fail(about, "the operator has not looked at it", "see whether a manager leads and watches this namespace")
	case ready.Status != metav1.ConditionTrue:
		d.fail(about, "seen from the operator: "+ready.Reason+": "+ready.Message, "mend that; kubectl mfa reconcile connection/"+conn.Name+" -n "+conn.Namespace+" has it looked at again")
	case ready.ObservedGeneration != conn.Generation:
		d.warn(about, "the operator has not looked at its newest spec yet", "see whether a manager leads and watches this namespace")
		works = true
	default:
		d.ok(about, "seen from the operator: %s", ready.Message)
		works = true
	}
	for _, warning := range []struct{ kind, do string }{
		{v1alpha1.ConditionTokenExpiring, "make a new token in the Administration Console and put it into the Secret"},
		{v1alpha1.ConditionListingStale, "see the other conditions for what keeps the listing from ending"},
		{v1alpha1.ConditionChangesHeld, "look at what is held, then: kubectl mfa approve " + conn.Name + " <n> -n " + conn.Namespace},
	} {
		if c := meta.FindStatusCondition(conn.Status.Conditions, warning.kind); c != nil && c.Status == metav1.ConditionTrue {
			d.warn(about, "seen from the operator: "+warning.kind+": "+c.Message, warning.do)
		}
	}
	return works
}

// certificates looks at those of spec.caBundle.
func (d *Doctor) certificates(about string, conn *v1alpha1.MFAConnection) {
	rest, count := []byte(conn.Spec.CABundle), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			d.warn(about, "spec.caBundle holds something that is no certificate", "remove it from there")
			continue
		}
		count++
		switch over, near := d.ending(certificate.NotAfter); {
		case over:
			d.warn(about, fmt.Sprintf("the certificate %q of spec.caBundle has expired", certificate.Subject), "put the gateway's new CA there")
		case near:
			d.warn(about, fmt.Sprintf("the certificate %q of spec.caBundle expires on %s", certificate.Subject, certificate.NotAfter.Format("2006-01-02")), "put the gateway's next CA there beside it")
		}
	}
	switch {
	case count > 0:
		d.ok(about, "certificates in spec.caBundle: %d", count)
	case conn.Spec.CABundle != "":
		d.fail(about, "spec.caBundle holds no certificate", "put the gateway's CA there as PEM, or leave the field out")
	}
}

// reach calls the service from here, which may be another way than the operator's.
func (d *Doctor) reach(ctx context.Context, about string, conn *v1alpha1.MFAConnection, token mfaclient.Token, readable, works bool) {
	if err := mfaclient.Reach(ctx, conn.Spec.URL, []byte(conn.Spec.CABundle)); err != nil {
		if works {
			d.warn(about, "seen from here: "+err.Error(), "the operator reaches it all the same: a proxy or network policy makes the difference, and export and plan need the way from here")
			return
		}
		d.fail(about, "seen from here: "+err.Error(), "check spec.url, and spec.caBundle for a gateway with a CA of its own")
		return
	}
	d.ok(about, "seen from here: it answers by TLS")
	if !readable {
		return
	}
	remote, err := mfaclient.New(mfaclient.Config{
		BaseURL: conn.Spec.URL, CABundle: []byte(conn.Spec.CABundle), Token: token, Routes: d.Routes,
		Clock: clock.RealClock{}, UserAgent: "kubectl-mfa/" + d.Version,
	})
	if err != nil {
		d.fail(about, "it can't be used: "+err.Error(), "correct its spec")
		return
	}
	if _, err := remote.ListAccounts(ctx, 0, 1); err != nil {
		d.fail(about, "seen from here, the accounts can't be listed: "+err.Error(), whatToDo(err))
		return
	}
	d.ok(about, "seen from here: the token lists the accounts")
}

func whatToDo(err error) string {
	switch mfaclient.KindOf(err) {
	case mfaclient.KindUnauthenticated:
		return "the service does not accept the token: put a new one into the Secret"
	case mfaclient.KindDenied:
		return "the token lacks the right: use one of an administrator or manager of the service"
	case mfaclient.KindRateLimited:
		return "the service asked to slow down: try again in a while"
	case mfaclient.KindMalformed, mfaclient.KindNotFound:
		return "what answers there is not the service: check spec.url, and --api-overrides where the manager has it"
	}
	return "try again; ask the service's administrator if it lasts"
}
