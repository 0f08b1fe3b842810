package plugin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// completionTime is how long somebody at the tab key waits.
const completionTime = 5 * time.Second

type completion = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective)

// names completes the first argument with the names of objects in the namespace of the flags. What can't be read has none.
func (s *session) names(list func() client.ObjectList) completion {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return s.listNames(cmd.Context(), list(), word), cobra.ShellCompDirectiveNoFileComp
	}
}

func (s *session) listNames(ctx context.Context, list client.ObjectList, word string) []string {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	c, namespace, err := s.start()
	if err != nil {
		return nil
	}
	var opts []client.ListOption
	if _, all := list.(*corev1.NamespaceList); !all {
		opts = append(opts, client.InNamespace(namespace))
	}
	if err := c.List(ctx, list, opts...); err != nil {
		return nil
	}
	return slices.DeleteFunc(namesOf(list), func(name string) bool { return !strings.HasPrefix(name, word) })
}

// namesOf are the names in a list. A login beside a user's name helps to find the person.
func namesOf(list client.ObjectList) (names []string) {
	switch list := list.(type) {
	case *v1alpha1.MFAUserList:
		for _, user := range list.Items {
			names = append(names, user.Name+"\t"+user.Spec.Login)
		}
	case *v1alpha1.MFAConnectionList:
		for _, conn := range list.Items {
			names = append(names, conn.Name+"\t"+conn.Spec.URL)
		}
	case *corev1.NamespaceList:
		for _, namespace := range list.Items {
			names = append(names, namespace.Name)
		}
	}
	return names
}

func (s *session) users() completion {
	return s.names(func() client.ObjectList { return &v1alpha1.MFAUserList{} })
}

func (s *session) connections() completion {
	return s.names(func() client.ObjectList { return &v1alpha1.MFAConnectionList{} })
}

// completeNamespaces completes the flag --namespace of all commands.
func (s *session) completeNamespaces(root *cobra.Command) {
	complete := func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return s.listNames(cmd.Context(), &corev1.NamespaceList{}, word), cobra.ShellCompDirectiveNoFileComp
	}
	if err := root.RegisterFlagCompletionFunc("namespace", complete); err != nil {
		panic(err) // the flag is not there: a fault of this program
	}
}

// oneOf completes a flag with fixed words.
func oneOf(cmd *cobra.Command, flag string, words ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is not there: a fault of this program
	}
}
