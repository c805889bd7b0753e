package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"pagbot/bot/socket"
	"pagbot/engine"
)

// Run serves until the context ends, then stops in reverse: no new envelopes
// and no new pages, what is in hand finished, the engine last. Close then lets
// go of the files.
func (a *App) Run(ctx context.Context) error {
	if err := a.history.Load(ctx); err != nil {
		return err
	}
	ctl, web, err := a.openDoors()
	if err != nil {
		return err
	}
	engineCtx, stopEngine := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEngine()
	work, ctx := errgroup.WithContext(ctx)
	var doors sync.WaitGroup // through which the engine gets its work
	door := func(f func() error) {
		doors.Add(1)
		work.Go(func() error { defer doors.Done(); return f() })
	}
	door(func() error { return plainSocket(a.loop.Run(ctx)) })
	door(func() error { return serveHTTP(ctx, ctl, a.control()) })
	if web != nil {
		door(func() error { return serveHTTP(ctx, web, a.pages.Handler()) })
		work.Go(func() error { a.sweep(ctx); return nil })
	}
	work.Go(func() error { doors.Wait(); stopEngine(); return nil })
	work.Go(func() error { a.Engine.Run(engineCtx); return nil })
	work.Go(func() error {
		err := a.audit.Follow(engineCtx, a.db, engine.AuditLog, a.committed(engineCtx))
		if engineCtx.Err() != nil {
			err = nil
		}
		return err
	})
	work.Go(func() error { a.learnRoles(ctx); return nil })
	for _, s := range a.setups {
		work.Go(func() error { a.setUp(ctx, s); return nil })
	}
	a.log.Info("serving", "mode", a.mode(), "groups", len(a.cfg.Groups), "started_in", time.Since(a.began).Round(time.Millisecond))
	return work.Wait()
}

// openDoors listens for the commands and, where people sign in, for browsers.
func (a *App) openDoors() (ctl, web net.Listener, err error) {
	if ctl, err = a.listen("unix", socketPath(a.cfg.StateDir())); err != nil {
		return nil, nil, plainControl(a.cfg.StateDir(), err)
	}
	if a.pages == nil {
		return ctl, nil, nil
	}
	if web, err = a.listen("tcp", a.cfg.SignIn.Listen); err != nil {
		_ = ctl.Close()
		return nil, nil, plainListen(a.cfg.SignIn.Listen, err)
	}
	return ctl, web, nil
}

func plainListen(addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("signin.listen: %s is in use by another program: stop that one, or choose another port", addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("signin.listen: this user may not listen on %s: choose a port above 1023", addr)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("signin.listen: %s is no address of this machine: listen on one of its own, such as 127.0.0.1:8080", addr)
	}
	return fmt.Errorf("signin.listen: can't listen on %s: %w", addr, err)
}

func plainControl(dir string, err error) error {
	// The kernel's limit for a socket's path.
	if path := socketPath(dir); len(path) > 107 {
		return fmt.Errorf("state: the path %s is too long for a socket (%d characters, at most 107): choose a shorter directory", path, len(path))
	}
	return fmt.Errorf("state: no control socket in %s: %w", dir, err)
}

func plainSocket(err error) error {
	var no *socket.Fatal
	if errors.As(err, &no) {
		return fmt.Errorf("slack.app_token: Slack answers %s: %s", no.Code, no.Say)
	}
	return err
}

// serveHTTP serves until the context ends, and then lets those who are inside
// finish.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, MaxHeaderBytes: 32 << 10}
	left := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(left)
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if s.Shutdown(wait) != nil {
			_ = s.Close()
		}
	})
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err // the group's context ends with it, and so does the waiting function
	}
	<-left
	return nil
}

// sweep drops kept sign-ins whose time is over, at the start and every hour.
func (a *App) sweep(ctx context.Context) {
	for ctx.Err() == nil {
		if err := a.pages.Sweep(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("kept sign-ins could not be swept", "err", err)
		}
		a.calledOff(a.strangers)
		if err := a.sweepHomes(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("Home tabs could not be swept", "err", err)
		}
		select {
		case <-time.After(time.Hour):
		case <-ctx.Done():
		}
	}
}

// Close lets go of the files.
func (a *App) Close() {
	if a.pages != nil {
		a.pages.Close()
	}
	if a.audit != nil {
		if err := a.audit.Close(); err != nil {
			a.log.Error("closing the audit trail", "err", err)
		}
	}
	if a.db != nil {
		if err := a.db.Close(); err != nil {
			a.log.Error("closing the database", "err", err)
		}
	}
}
