package templates_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"credenza.example/credenza/templates"
)

func helpOn(task string, f templates.Frame) templates.Help {
	return templates.Help{Frame: f, Task: task, TokenURL: "https://credenza.example/oauth2/token"}
}

// TestHelpPages: each opens with the right it takes, by its path, and says all it has to say in words (ui.md §4.13).
func TestHelpPages(t *testing.T) {
	ctx := renderContext(t)
	paths := []string{}
	for _, right := range []string{"apps.view", "apps.manage", "support.lookup", "robots.manage", "catalogue.manage", "docs.view"} {
		paths = append(paths, templates.RightPath(ctx, right))
	}
	missing := regexp.MustCompile(`help\.[a-z_]+\.`)
	titles := map[string]string{}
	for _, task := range templates.HelpTasks() {
		t.Run(task, func(t *testing.T) {
			checkPage(t, templates.HelpPage(helpOn(task, signedIn())))
			doc := renderDoc(t, templates.HelpPage(helpOn(task, signedIn())))
			need := doc.Find("article").Children().First()
			named := slices.ContainsFunc(paths, func(p string) bool { return strings.Contains(words(need), p) })
			if !need.HasClass("help-need") || named == strings.HasPrefix(words(need), "You need no right. ") {
				t.Errorf("it opens with %q", words(need))
			}
			if found := missing.FindString(words(doc.Find("main"))); found != "" {
				t.Errorf("%s… has no words", found)
			}
			title := words(doc.Find("h1"))
			if before, twice := titles[title]; twice {
				t.Errorf("%s and %s have the same title", before, task)
			}
			titles[title] = task
			if got := words(doc.Find("main")); len(got) > 3600 {
				t.Errorf("%d characters are too many to be read", len(got))
			}
		})
	}
}

// TestHelpIndex: every page is on it once, in a group, with one line; the anchors of the former single page lead there.
func TestHelpIndex(t *testing.T) {
	doc := renderDoc(t, templates.HelpIndexPage(templates.HelpIndex{Frame: signedIn()}))
	tasks := templates.HelpTasks()
	if n := doc.Find(".help-tasks li").Length(); n != len(tasks) || n < 17 {
		t.Errorf("%d tasks stand there, %d have pages", n, len(tasks))
	}
	for _, task := range tasks {
		entry := doc.Find(".help-tasks li#" + task)
		if entry.Find(fmt.Sprintf("a[href='/help/%s']", task)).Length() != 1 || words(entry.Find("p")) == "" {
			t.Errorf("%s: no link, or no line", task)
		}
	}
	for _, former := range []string{"register", "scopes", "token", "rotate", "leaked", "off", "search"} {
		if !templates.IsHelpTask(former) {
			t.Errorf("#%s leads nowhere", former)
		}
	}
}

// TestHelpSeeAlso: what a page names as related is there, and not itself.
func TestHelpSeeAlso(t *testing.T) {
	for _, task := range templates.HelpTasks() {
		renderDoc(t, templates.HelpPage(helpOn(task, templates.Frame{}))).Find(".help-see a").Each(func(_ int, s *goquery.Selection) {
			other, page := strings.CutPrefix(s.AttrOr("href", ""), "/help/")
			if page && (!templates.IsHelpTask(other) || other == task) {
				t.Errorf("%s names %s", task, other)
			}
		})
	}
}

// TestHelpPlace: the way to where the task is done stands only where the person may go there.
func TestHelpPlace(t *testing.T) {
	support := signedIn()
	support.Nav = []templates.NavLink{{Code: "home", Href: "/"}, {Code: "lookup", Href: "/lookup"}}
	for _, tt := range []struct {
		task  string
		frame templates.Frame
		want  int
	}{
		{"lookup", support, 1}, {"lookup", templates.Frame{}, 0}, {"rotate", support, 0}, {"keyboard", support, 0},
	} {
		doc := renderDoc(t, templates.HelpPage(helpOn(tt.task, tt.frame)))
		if n := doc.Find("article a").Length(); n != tt.want {
			t.Errorf("%s: %d links to the place", tt.task, n)
		}
	}
}

// TestHelpLinkOfTheHeader: it leads to the task of the page, and the shortcut to the list of shortcuts.
func TestHelpLinkOfTheHeader(t *testing.T) {
	f := signedIn()
	f.Help = templates.HelpPath("rotate")
	doc := renderDoc(t, templates.HomePage(templates.Home{Frame: f, Name: "Ana"}))
	if got := doc.Find("header.top a").Last().AttrOr("href", ""); got != "/help/rotate" {
		t.Errorf("the header leads to %s", got)
	}
	if got := doc.Find("[data-key='?']").AttrOr("href", ""); got != "/help/keyboard" {
		t.Errorf("? leads to %s", got)
	}
	f.NoKeys = true
	if renderDoc(t, templates.HomePage(templates.Home{Frame: f, Name: "Ana"})).Find("[data-key='?']").Length() != 0 {
		t.Error("shortcuts are offered to somebody who switched them off")
	}
}
