package controller

import (
	"context"
	"errors"
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

	_, err = usersOfCache(informerCache{})
	g.Expect(err).To(MatchError(ContainSubstring("does not show its store")))
	_, err = usersOfCache(informerCache{err: errors.New("no such kind")})
	g.Expect(err).To(MatchError("no such kind"))
}

// informerCache is a cache with one informer.
type informerCache struct {
	cache.Cache
	informer cache.Informer
	err      error
}

func (c informerCache) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	return c.informer, c.err
}
