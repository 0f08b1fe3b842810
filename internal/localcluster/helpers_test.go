package localcluster_test

import (
	"context"
	"os"
	"testing"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

var applied = metav1.ApplyOptions{FieldManager: "test", Force: true}

func clients(g Gomega, config *rest.Config) *kubernetes.Clientset {
	set, err := kubernetes.NewForConfig(config)
	g.Expect(err).NotTo(HaveOccurred())
	return set
}

// TestMain keeps controller-runtime from complaining, in the middle of the
// output, that nobody told it where to log.
func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// whoAmI is the user the API server takes the bearer of the configuration for.
func whoAmI(ctx context.Context, g Gomega, config *rest.Config) string {
	reviews := clients(g, config).AuthenticationV1().SelfSubjectReviews()
	review, err := reviews.Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	return review.Status.UserInfo.Username
}
