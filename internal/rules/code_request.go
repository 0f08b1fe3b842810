package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// PurposePINErrors asks by annotation for wrong PINs to be forgotten; no code comes of it.
const PurposePINErrors v1alpha1.CodePurpose = "PINErrors"

// RequestCreate is the request that a new account's enrolment code answers.
const RequestCreate = "create"

// CodeRequest is what somebody asks for and nobody has dealt with yet.
type CodeRequest struct {
	Name     string // as in status and on the Secret
	Purpose  v1alpha1.CodePurpose
	Type     v1alpha1.CodeType
	Delivery v1alpha1.CodeDelivery
	// Malformed says what is wrong with a request that can't be read.
	Malformed string
}

// StatedRequest returns the oldest request of manifest and annotation that was not dealt with; nil when there is none.
func StatedRequest(user *v1alpha1.MFAUser) *CodeRequest {
	if g := user.Spec.Code.WantedGeneration(); g > user.Status.HandledCodeGeneration {
		return newRequest(user, "generation/"+strconv.FormatInt(g, 10), user.Spec.Code.Purpose)
	}
	return RequestByHand(user)
}

// RequestByHand returns the request of the annotation that was not dealt with; nil when there is none.
func RequestByHand(user *v1alpha1.MFAUser) *CodeRequest {
	asked := user.Annotations[v1alpha1.AnnotationIssueCode]
	if asked == "" || slices.Contains(user.Status.HandledIssueCodes, echo(asked)) {
		return nil
	}
	purpose, token, _ := strings.Cut(asked, "/")
	if !slices.Contains(PurposesByHand, v1alpha1.CodePurpose(purpose)) || !tokenPattern.MatchString(token) {
		return &CodeRequest{Name: "annotation", Malformed: "the annotation trustbuilder-mfa.dev/issue-code must be <Purpose>/<token>, where the purpose is Enrollment, AddDevice, " +
			"Unlock, Restore or PINErrors, and the token 1 to 63 letters, digits or characters of .:_- that were not used before"}
	}
	return newRequest(user, "annotation/"+token, v1alpha1.CodePurpose(purpose))
}

func newRequest(user *v1alpha1.MFAUser, name string, purpose v1alpha1.CodePurpose) *CodeRequest {
	return &CodeRequest{Name: name, Purpose: purpose, Type: user.Spec.Code.Type, Delivery: user.Spec.Code.Delivery}
}

// WayOn tells somebody whose request was refused how to ask again.
func (c *CodeRequest) WayOn() string {
	switch {
	case c.Malformed != "":
		return ""
	case strings.HasPrefix(c.Name, "annotation"):
		return "; the request is over. Ask again with another token once it fits"
	}
	return "; the request is over. Ask again with a higher spec.code.generation once it fits"
}

// PurposesByHand are those that the annotation issue-code may ask for.
var PurposesByHand = []v1alpha1.CodePurpose{
	v1alpha1.PurposeEnrollment, v1alpha1.PurposeAddDevice, v1alpha1.PurposeUnlock, v1alpha1.PurposeRestore, PurposePINErrors,
}

var tokenPattern = regexp.MustCompile(`^[A-Za-z0-9.:_-]{1,63}$`)

// maxRenewals is how often a code that ran out is replaced by itself.
const maxRenewals = 5

// RenewalRequest returns the renewal that is due; nil when none is. Only codes that the manifest asked for are renewed, not
// those that were asked for by hand, nor those that were switched on: then somebody waited for the person.
func RenewalRequest(user *v1alpha1.MFAUser) *CodeRequest {
	code, spec := user.Status.Code, &user.Spec.Code
	renewable := spec.Renewal == v1alpha1.RenewalWhenExpired && spec.Purpose == v1alpha1.PurposeEnrollment && spec.Type != v1alpha1.CodeShort
	if !renewable || code == nil || code.Pending != nil || code.Phase != v1alpha1.CodeExpired ||
		code.Purpose != v1alpha1.PurposeEnrollment || code.Type == v1alpha1.CodeShort || code.ActivatedAt != nil {
		return nil
	}
	done := 0
	kind, rest, _ := strings.Cut(code.Request, "/")
	switch kind {
	case RequestCreate, "generation":
	case "renewal":
		_, n, _ := strings.Cut(rest, "/")
		done, _ = strconv.Atoi(n)
	default:
		return nil
	}
	if done >= maxRenewals {
		return nil
	}
	return newRequest(user, fmt.Sprintf("renewal/%d/%d", user.Status.HandledCodeGeneration, done+1), v1alpha1.PurposeEnrollment)
}

// fits says for whom a purpose is.
var fits = map[v1alpha1.CodePurpose][]v1alpha1.AccountState{
	v1alpha1.PurposeEnrollment: {v1alpha1.StatePendingActivation, v1alpha1.StateExpired},
	v1alpha1.PurposeAddDevice:  {v1alpha1.StateActivated},
	v1alpha1.PurposeUnlock:     {v1alpha1.StatePinBlocked},
	v1alpha1.PurposeRestore:    {v1alpha1.StateActivated, v1alpha1.StatePinBlocked},
	PurposePINErrors:           {v1alpha1.StateActivated, v1alpha1.StatePinBlocked},
}

// Fits tells whether a code of this purpose is for an account in this state.
func Fits(purpose v1alpha1.CodePurpose, state v1alpha1.AccountState) bool {
	return slices.Contains(fits[purpose], state)
}

// Unfit says why a code of this purpose is of no use to the account as it is; empty when it is of use.
func Unfit(purpose v1alpha1.CodePurpose, account mfaclient.Account) string {
	if account.Blocked {
		return UnfitState(purpose, v1alpha1.StateBlocked)
	}
	return UnfitState(purpose, State(account.State))
}

// UnfitState is Unfit where nothing but the account's state is known.
func UnfitState(purpose v1alpha1.CodePurpose, state v1alpha1.AccountState) string {
	switch {
	case state == v1alpha1.StateBlocked:
		return "the account is blocked"
	case Fits(purpose, state):
		return ""
	}
	states := make([]string, 0, len(fits[purpose]))
	for _, state := range fits[purpose] {
		states = append(states, string(state))
	}
	return fmt.Sprintf("%s is for an account that is %s, and this one is %s", purpose, strings.Join(states, " or "), state)
}

// Handled requests. What is noted here never acts again.

// maxHandled is how many values of the annotation are remembered.
const maxHandled = 20

// NoteHandled records what manifest and annotation ask for as dealt with.
func NoteHandled(user *v1alpha1.MFAUser) {
	noteGeneration(user, user.Spec.Code.WantedGeneration())
	noteAnnotation(user, user.Annotations[v1alpha1.AnnotationIssueCode])
}

func noteGeneration(user *v1alpha1.MFAUser, generation int64) {
	user.Status.HandledCodeGeneration = max(user.Status.HandledCodeGeneration, generation)
}

func noteAnnotation(user *v1alpha1.MFAUser, asked string) {
	handled := user.Status.HandledIssueCodes
	if asked == "" || slices.Contains(handled, echo(asked)) {
		return
	}
	handled = append(slices.Clone(handled), echo(asked))
	user.Status.HandledIssueCodes = handled[max(0, len(handled)-maxHandled):]
}

// NoteRequest records just this request as dealt with: by the time that an older one is answered, manifest and annotation
// may ask for the next. A renewal is told by the code that it renews.
func NoteRequest(user *v1alpha1.MFAUser, request *CodeRequest) {
	kind, rest, _ := strings.Cut(request.Name, "/")
	switch {
	case request.Malformed != "":
		noteAnnotation(user, user.Annotations[v1alpha1.AnnotationIssueCode])
	case kind == "generation":
		if generation, err := strconv.ParseInt(rest, 10, 64); err == nil {
			noteGeneration(user, generation)
		}
	case kind == "annotation":
		noteAnnotation(user, string(request.Purpose)+"/"+rest)
	}
}

// echo is how a value of the annotation stands in status: whoever may annotate can make it as long as he likes.
func echo(asked string) string {
	const enough = 96 // longer than any value that can be read
	return strings.ToValidUTF8(asked[:min(len(asked), enough)], "")
}

// StillAsked tells whether the manifest asks for a request that was refused.
func StillAsked(user *v1alpha1.MFAUser, request string) bool {
	return request == RequestCreate || request == "generation/"+strconv.FormatInt(user.Spec.Code.WantedGeneration(), 10)
}

// CreationRequest is the request that comes with a new account.
func CreationRequest(user *v1alpha1.MFAUser) *CodeRequest {
	return newRequest(user, RequestCreate, v1alpha1.PurposeEnrollment)
}

// Intent is the request just before it is sent.
func (c *CodeRequest) Intent(now time.Time) *v1alpha1.CodeIntent {
	return &v1alpha1.CodeIntent{
		Request: c.Name, Purpose: c.Purpose, Type: c.Type, Delivery: c.Delivery, At: metav1.NewTime(now.Truncate(time.Second)), Sent: true,
	}
}
