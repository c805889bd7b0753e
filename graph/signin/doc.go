// Package signin lets a browser say who: a Slack click says what, and this
// package makes sure that the person behind it means it.
//
// A deed begins as a warrant, minted and sealed by Sealer. Where it needs the
// person, Slack shows them a Link. Opening the link changes nothing and shows
// the deed in plain words; Continue sends the browser to Microsoft and back;
// Confirm puts the token into the pocket under exactly that warrant and wakes
// exactly that deed. Token then hands it to the hand that does the deed.
//
// Fresh proof is never stored: its token lives in the pocket of this process,
// for at most ten minutes. An ordinary sign-in may be kept, sealed, by the
// vault, if custody is "session".
//
// Two clocks: links and warrants live by the world's (Config.Now), everything
// that has to do with tokens by the wire's (time.Now).
package signin
