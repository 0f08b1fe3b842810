package controller

import (
	"context"
	"errors"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// TestUsersOfCache: what a look at all users gives is what the cache holds, not a copy.
func TestUsersOfCache(t *testing.T) {
	g := NewWithT(t)
	informer := toolscache.NewSharedIndexInformer(&toolscache.ListWatch{}, &v1alpha1.MFAUser{}, 0, toolscache.Indexers{})
	every, err := usersOfCache(informerCache{informer: informer})
	g.Expect(err).NotTo(HaveOccurred())
	held := map[*v1alpha1.MFAUser]bool{}
	for _, name := range []string{"alice", "bob"} {
		user := &v1alpha1.MFAUser{}
		user.Name = name
		held[user] = true
		g.Expect(informer.GetStore().Add(user)).To(Succeed())
	}
	seen := map[*v1alpha1.MFAUser]bool{}
	for user := range every {
		seen[user] = true
	}
	g.Expect(seen).To(Equal(held))

	// A cache of listed namespaces shows no store, and is asked for a list.
	bob := &v1alpha1.MFAUser{}
	bob.Name = "bob"
	every, err = usersOfCache(informerCache{users: []v1alpha1.MFAUser{*bob}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(slices.Collect(every)).To(ConsistOf(bob))

	_, err = usersOfCache(informerCache{err: errors.New("no such kind")})
	g.Expect(err).To(MatchError("no such kind"))
}

// informerCache is a cache with one informer.
type informerCache struct {
	cache.Cache
	informer cache.Informer
	users    []v1alpha1.MFAUser
	err      error
}

func (c informerCache) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*v1alpha1.MFAUserList).Items = c.users //nolint:forcetypeassert // nothing else is listed
	return nil
}

func (c informerCache) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	return c.informer, c.err
}
