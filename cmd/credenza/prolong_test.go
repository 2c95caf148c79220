package main

import "testing"

func TestRestoreAndExtendOnTheCommandLine(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	made := newApp(t, i, "In time")
	hint := made.ClientSecret[len(made.ClientSecret)-4:]
	if code, _, stderr := i.run(t, "app", "extend", made.ClientID, "--secret", hint); code != 1 || stderr == "" {
		t.Errorf("extending what no rotation ends: exit %d: %s", code, stderr)
	}
	must[credentialDocument](t, i, "app", "rotate", made.ClientID, "--old-ends", "now")
	back := must[prolongedDocument](t, i, "app", "restore", made.ClientID, "--secret", hint)
	if back.State != "ending" || back.SecretID != made.SecretID || back.EndsAt == nil {
		t.Fatalf("restored %+v", back)
	}
	later := must[prolongedDocument](t, i, "app", "extend", made.ClientID, "--secret", made.SecretID, "--until", "30d")
	if later.EndsAt == nil || !later.EndsAt.After(*back.EndsAt) {
		t.Errorf("extended %+v", later)
	}
	if code, _, stderr := i.run(t, "app", "restore", made.ClientID, "--secret", "0000"); code != 1 || stderr == "" {
		t.Errorf("a secret that is not there: exit %d: %s", code, stderr)
	}
}

func TestPolicyOnTheCommandLine(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	if p := must[policyDocument](t, i, "org", "policy", "--org", "acme"); p.SecretExpiry != "recommended" || p.CeilingDays != nil || p.IdleDays != 0 {
		t.Errorf("before: %+v", p)
	}
	if code, _, stderr := i.run(t, "org", "policy", "--org", "acme", "--secret-expiry", "required"); code != 1 || stderr == "" {
		t.Errorf("required without a ceiling: exit %d: %s", code, stderr)
	}
	p := must[policyDocument](t, i, "org", "policy", "--org", "acme", "--secret-expiry", "required", "--ceiling", "30", "--idle-days", "365")
	if p.SecretExpiry != "required" || p.CeilingDays == nil || *p.CeilingDays != 30 || p.IdleDays != 365 {
		t.Errorf("after: %+v", p)
	}
	if code, _, stderr := i.run(t, "app", "create", "--org", "acme", "--name", "Never", "--scope", "ccw.candidates", "--expires", "never"); code != 1 || stderr == "" {
		t.Errorf("a secret that never expires: exit %d: %s", code, stderr)
	}
	newApp(t, i, "Allowed")
	if p := must[policyDocument](t, i, "org", "policy", "--org", "acme", "--secret-expiry", "optional"); p.CeilingDays != nil || p.IdleDays != 365 {
		t.Errorf("at the end: %+v", p)
	}
}
