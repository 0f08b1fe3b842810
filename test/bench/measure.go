package main

import (
	"context"
	"time"
)

// measure plays all phases and then the floor, without the manager.
func measure(ctx context.Context, s *stage) (figures, error) {
	f := figures{users: s.users}
	windows, err := s.playAll(ctx, &f)
	if err != nil {
		return figures{}, err
	}
	f.peakMemory = s.peakMemory
	s.say("reading the audit log")
	events, err := s.cluster.AuditEvents(ctx)
	if err != nil {
		return figures{}, err
	}
	for phase, w := range windows {
		phase.writes = countWrites(events, operatorUser, w)
	}
	return f, s.measureFloor(ctx, &f)
}

// playAll plays the phases with the manager and returns the time of each.
func (s *stage) playAll(ctx context.Context, f *figures) (map[*measured]window, error) {
	if err := s.startOperator(); err != nil {
		return nil, err
	}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	windows := map[*measured]window{}
	for _, phase := range []struct {
		name   string
		before func() error
		act    func(context.Context) (time.Duration, error)
		into   *measured
	}{
		{"create", nil, s.create, &f.create},
		{"count", nil, s.count, &f.count},
		{"restart", s.stopOperator, s.restart, &f.restart},
		{"idle", nil, s.idle, &f.idle},
		{"drift", nil, func(ctx context.Context) (_ time.Duration, err error) {
			start := time.Now()
			f.corrected, err = s.drift(ctx)
			return time.Since(start), err
		}, &f.drift},
	} {
		if phase.before != nil {
			if err := phase.before(); err != nil {
				return nil, err
			}
		}
		m, w, err := s.play(ctx, phase.name, phase.act)
		if err != nil {
			return nil, err
		}
		*phase.into, windows[phase.into] = m, w
	}
	return windows, s.stopOperator()
}
