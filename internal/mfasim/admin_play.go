package mfasim

import "cmp"

// whose reads the login that a request of the end user's side names.
func (c *adminCall) whose() (string, error) {
	var in struct {
		Login string `json:"login"`
	}
	err := c.read(&in)
	return in.Login, err
}

func (s *Service) adminUseCode(c *adminCall) (any, error) {
	var in struct {
		Code string `json:"code"`
		Link string `json:"link"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return nil, s.UseCode(cmp.Or(in.Code, in.Link))
}

func (s *Service) adminAuthenticate(c *adminCall) (any, error) {
	login, err := c.whose()
	if err != nil {
		return nil, err
	}
	return nil, s.Authenticate(login)
}

func (s *Service) adminMistypePIN(c *adminCall) (any, error) {
	login, err := c.whose()
	if err != nil {
		return nil, err
	}
	return nil, s.MistypePIN(login)
}

func (s *Service) adminAddDevice(c *adminCall) (any, error) {
	login, err := c.whose()
	if err != nil {
		return nil, err
	}
	return s.AddDevice(login)
}

func (s *Service) adminDevices(c *adminCall) (any, error) {
	login := c.r.URL.Query().Get("login")
	if _, ok := s.Account(login); !ok {
		return nil, ErrNoAccount
	}
	return append([]Device{}, s.Devices(login)...), nil
}

func (s *Service) adminToken(c *adminCall) (any, error) {
	var in struct{ Admin, Life, Opaque, Revoke string }
	if err := c.read(&in); err != nil {
		return nil, err
	}
	switch {
	case in.Revoke != "":
		s.RevokeToken(in.Revoke)
		return nil, nil
	case in.Opaque != "":
		s.AddOpaqueToken(in.Opaque)
		return nil, nil
	}
	life := tokenLife
	if in.Life != "" {
		var err error
		if life, err = parseDuration("life", in.Life); err != nil {
			return nil, err
		}
	}
	return map[string]string{"token": s.IssueToken(cmp.Or(in.Admin, s.opts.AdminLogin), life)}, nil
}

func (s *Service) adminNow(*adminCall) (any, error) {
	return map[string]string{"now": stamp(s.Now())}, nil
}

func (s *Service) adminAdvance(c *adminCall) (any, error) {
	var in struct{ Advance string }
	if err := c.read(&in); err != nil {
		return nil, err
	}
	by, err := parseDuration("advance", in.Advance)
	if err != nil {
		return nil, err
	}
	s.Advance(by)
	return s.adminNow(c)
}

func (s *Service) adminFault(c *adminCall) (any, error) {
	var in struct {
		Fault
		Latency string `json:"latency"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Latency != "" {
		wait, err := parseDuration("latency", in.Latency)
		if err != nil {
			return nil, err
		}
		in.Fault.Latency = wait
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	s.SetFault(in.Fault)
	return nil, nil
}
