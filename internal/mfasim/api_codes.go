package mfasim

import (
	"net/http"
	"slices"
	"time"
)

// Mail is a message that SendCode made the platform send.
type Mail struct {
	To     string    `json:"to"`
	Login  string    `json:"login"`
	Link   string    `json:"link"`
	SentAt time.Time `json:"sentAt"`
}

// issueRequest is the body of IssueCode.
type issueRequest struct {
	Purpose  string `json:"purpose"`
	CodeType *int   `json:"codeType"`
}

func (in issueRequest) check() error {
	if !slices.Contains([]string{purposeEnrollment, purposeAddDevice, purposeUnlock, purposeRestore}, in.Purpose) {
		return invalid("purpose must be ENROLLMENT, ADD_DEVICE, UNLOCK or RESTORE")
	}
	return checkCodeType(in.CodeType)
}

func (s *Service) issueCode(c *call) (any, error) {
	a, err := s.writable(c)
	if err != nil {
		return nil, err
	}
	var in issueRequest
	if err := decode(c.body, &in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if !purposeFits(in.Purpose, a.lifecycle(s.now())) {
		return nil, refuse(http.StatusUnprocessableEntity, "PURPOSE_NOT_ALLOWED", "this purpose is not for an account in this state")
	}
	issued := s.newCode(a, in.Purpose, *in.CodeType)
	s.record("CODE_ISSUED", c.actor.login, a.Login)
	out := s.spellCode(issued)
	out.CodeType = &issued.codeType
	return out, nil
}

// activateCode is repeatable: while the code is on, it answers the same again and the code's life goes on as it was.
func (s *Service) activateCode(c *call) (any, error) {
	a, err := s.writable(c)
	if err != nil {
		return nil, err
	}
	live := a.liveCode(s.now())
	if live == nil || live.codeType != codeInactive {
		return nil, refuse(http.StatusConflict, "NO_INACTIVE_CODE", "there is no live inactive code to switch on")
	}
	if !live.active {
		live.active = true
		live.expires = s.now().Add(s.opts.Lifetimes.Short)
		s.record("CODE_ACTIVATED", c.actor.login, a.Login)
	}
	return s.spellCode(live), nil
}

func (s *Service) sendCode(c *call) (any, error) {
	a, err := s.writable(c)
	if err != nil {
		return nil, err
	}
	if a.Email == "" {
		return nil, refuse(http.StatusBadRequest, "NO_EMAIL", "the account has no mail address")
	}
	live := a.liveCode(s.now())
	if live == nil || live.codeType != codeLink {
		return nil, refuse(http.StatusConflict, "NO_LINK", "there is no live link to send")
	}
	s.outbox = append(s.outbox, Mail{To: a.Email, Login: a.Login, Link: live.link, SentAt: s.now()})
	s.record("CODE_SENT", c.actor.login, a.Login)
	return nil, nil
}

// Outbox is every mail sent so far, oldest first.
func (s *Service) Outbox() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.outbox)
}
