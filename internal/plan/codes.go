package plan

import (
	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// codes adds the codes that would be issued, switched on or mailed to an account that is the user's already.
func (s *Service) codes(user *v1alpha1.MFAUser, account mfaclient.Account, diff rules.Difference, i *Item) {
	if blocked := diff.Fields().Blocked; blocked != nil {
		account.Blocked = *blocked // the fields are written first
	}
	hidden := !account.Blocked && account.State == mfaclient.StateBlocked
	for _, request := range requests(user) {
		if hidden {
			i.note("whether the request for a code (%s) fits shows once the block is lifted", request.Name)
			continue
		}
		s.code(account, request, user, i)
	}
	code := user.Status.Code
	if code == nil {
		return
	}
	fits := rules.Unfit(code.Purpose, account) == ""
	switch {
	case code.Phase == v1alpha1.CodeInactivePhase && user.Spec.Code.Activation == v1alpha1.ActivationNow && fits:
		i.code("the code is switched on")
	case code.Pending != nil:
		i.code("the code that was asked for and not answered is asked for anew")
	case code.Phase == v1alpha1.CodeActive && code.Delivery != v1alpha1.DeliverySecret && code.Delivery != "" && code.EmailedAt == nil:
		i.code("the link is mailed to the person")
	}
}

// requests are those that the operator would deal with in its next pass: of manifest and annotation one each, and a renewal.
func requests(user *v1alpha1.MFAUser) (all []*rules.CodeRequest) {
	left := user.DeepCopy()
	for range 2 {
		request := rules.StatedRequest(left)
		if request == nil {
			break
		}
		rules.NoteRequest(left, request)
		all = append(all, request)
	}
	if renewal := rules.RenewalRequest(user); renewal != nil && len(all) == 0 {
		all = append(all, renewal)
	}
	return all
}

func (s *Service) code(account mfaclient.Account, request *rules.CodeRequest, user *v1alpha1.MFAUser, i *Item) {
	why := request.Malformed
	if why == "" {
		why = rules.Unfit(request.Purpose, account)
	}
	if why == "" && request.Purpose == v1alpha1.PurposeRestore {
		why = s.protects(account)
	}
	switch {
	case why != "":
		i.note("the request for a code (%s) is refused: %s", request.Name, why)
	case request.Purpose == rules.PurposePINErrors:
		i.code("the service forgets wrong PINs")
	default:
		i.code("a code for %s goes %s, and cancels the one before", request.Purpose, delivery(user))
		i.Removes = i.Removes || request.Purpose == v1alpha1.PurposeRestore
	}
}

// code notes something about a code that changes the service.
func (i *Item) code(format string, args ...any) {
	i.note(format, args...)
	if i.Action == Nothing {
		i.Action = Code
	}
}

func delivery(user *v1alpha1.MFAUser) string {
	switch user.Spec.Code.Delivery {
	case v1alpha1.DeliveryEmail:
		return "to the person by mail"
	case v1alpha1.DeliverySecretAndEmail:
		return "into the Secret " + user.CodeSecretName() + " and to the person by mail"
	}
	return "into the Secret " + user.CodeSecretName()
}
