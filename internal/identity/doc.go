// Package identity owns who there is: organisations, people, roles, groups, and robot accounts, of which those of kind
// client, supplier and msp are the API users that apps act as (product.md decisions 1, 14 and 16). It turns roles into the
// rights of an access.Actor, keeps those in memory until the change feed says that they changed, and holds the rule
// that nobody gives a role, a group, a robot or a person more than they hold themselves (protocol.md §6).
//
// Rights come from roles, which people and robot accounts hold themselves (person_roles, robot_roles) or as members of
// groups (group_roles). Standing, RobotRights, Holders and PowerOver count both; RobotGrants and PersonGrants tell which
// role of which group gives each right. Groups hold no groups.
//
// The door for groups and robot accounts, which the pages and the identity API share:
//
//	Groups, Group, MembersOf, Losses          read groups                      robots.view
//	RobotGrants, RightsOfRobots, PersonGrants effective rights                 robots.view
//	CreateGroup, ChangeGroup, DeleteGroups    members, roles, name             robots.manage, and power over what is given
//	Robots (search, order, page), Robot       read robot accounts with groups  robots.view
//	CreateRobot, ChangeRobot                  display name, groups             robots.manage, and power over groups added
//	ExtendRobot, SetRobotStatus               give power again                 robots.manage, and power over the account
//	DeleteRobots                              all or none                      robots.manage; refused while apps act as one
//	RobotCeiling                              days an account may live
//
// IDs of members and groups are taken as texts, since they come from outside: what is no ID, unknown, or another
// organisation's is a fault of the field in the same words. Every organisation of customers has two built-in groups,
// Administrators and Viewers, that pass on the built-in roles; only their members change. A deleted robot account keeps its
// row and gives its name back. Its last sign-in is package registry's to tell (Registry.RobotUse), and so is which apps act
// as it (WhenRobotsDeleted).
//
// It also owns how names are compared and what text may hold (Fold, Text, Lines, Email), for every room above it.
//
// Elsewhere: passwords, sessions and set-up links are package signin's, which reads and writes a person's password hash
// through this package; what an act needs is asked at audit.Do; which scope takes which right is package access's.
// Personal data (names, e-mail addresses) stands in the rows of this package only, never in an audit event.
package identity
