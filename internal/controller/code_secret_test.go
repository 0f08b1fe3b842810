package controller

import (
	"errors"
	"testing"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestRefusedSecretIsNotQuoted(t *testing.T) {
	g := NewWithT(t)
	refusal := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "alice-mfa", errors.New("webhook: code=c0de-1234"))

	err := withoutText(refusal)

	g.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "the kind of refusal decides what happens next")
	g.Expect(err.Error()).NotTo(ContainSubstring("c0de-1234"))
	g.Expect(withoutText(nil)).To(Succeed())
}
