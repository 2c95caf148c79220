package api

import "time"

// Ticks writes a time as the identity API does: RFC 3339 in UTC with seven fractional digits.
func Ticks(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z07:00") }

// RobotAccount is a robot account as the identity API shows it. LastLoginTime is null until an app acted as it.
type RobotAccount struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	DisplayName   string   `json:"displayName"`
	CreationTime  string   `json:"creationTime"`
	LastLoginTime *string  `json:"lastLoginTime"`
	GroupIDs      []string `json:"groupIds"`
}

// RobotAccountPage is a part of a list of robot accounts. TotalCount counts the whole list.
type RobotAccountPage struct {
	TotalCount int            `json:"totalCount"`
	Results    []RobotAccount `json:"results"`
}

// NewRobotAccount asks for a robot account. DisplayName left out is the name. ID and GroupIDsToRemove are taken, because
// examples send them, and mean nothing.
type NewRobotAccount struct {
	PartitionGlobalID string   `json:"partitionGlobalId"`
	ID                string   `json:"id,omitempty"`
	Name              string   `json:"name"`
	DisplayName       string   `json:"displayName,omitempty"`
	GroupIDsToAdd     []string `json:"groupIDsToAdd,omitempty"`
	GroupIDsToRemove  []string `json:"groupIDsToRemove,omitempty"`
}

// RobotAccountChange asks for another display name and other groups; what is left out stays.
type RobotAccountChange struct {
	PartitionGlobalID string   `json:"partitionGlobalId"`
	DisplayName       *string  `json:"displayName,omitempty"`
	GroupIDsToAdd     []string `json:"groupIDsToAdd,omitempty"`
	GroupIDsToRemove  []string `json:"groupIDsToRemove,omitempty"`
}

// RobotAccountIDs names robot accounts to delete.
type RobotAccountIDs struct {
	RobotAccountIDs []string `json:"robotAccountIDs"`
}

// Group is a group as the identity API shows it. DisplayName is the name; Type is builtIn or custom.
type Group struct {
	ID                   string        `json:"id"`
	Name                 string        `json:"name"`
	DisplayName          string        `json:"displayName"`
	Type                 string        `json:"type"`
	CreationTime         string        `json:"creationTime"`
	LastModificationTime *string       `json:"lastModificationTime"`
	Members              []GroupMember `json:"members"`
}

// GroupMember is a member of a group. ObjectType is DirectoryUser or DirectoryRobotUser.
type GroupMember struct {
	ObjectType  string `json:"objectType"`
	Source      string `json:"source"`
	Identifier  string `json:"identifier"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

// NewGroup asks for a group. Members are people and robot accounts. ID is taken and means nothing.
type NewGroup struct {
	PartitionGlobalID      string   `json:"partitionGlobalId"`
	ID                     string   `json:"id,omitempty"`
	Name                   string   `json:"name"`
	DirectoryUserMemberIDs []string `json:"directoryUserMemberIDs,omitempty"`
}

// GroupChange asks for another name and other members; what is left out stays.
type GroupChange struct {
	PartitionGlobalID        string   `json:"partitionGlobalId"`
	Name                     *string  `json:"name,omitempty"`
	DirectoryUserIDsToAdd    []string `json:"directoryUserIDsToAdd,omitempty"`
	DirectoryUserIDsToRemove []string `json:"directoryUserIDsToRemove,omitempty"`
}

// GroupIDs names groups to delete.
type GroupIDs struct {
	GroupIDs []string `json:"groupIDs"`
}
