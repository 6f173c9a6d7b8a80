"""What is asked of Linear, as GraphQL documents; a test holds each against its schema."""

_ISSUE = """
fragment Ticket on Issue {
  id identifier url updatedAt trashed state { id name type } assignee { displayName }
}
"""
VIEWER = """
query Viewer { viewer { id name } organization { name } }
"""
TEAM = """
query Team($team: String!) { team(id: $team) { id key name } }
"""
PREPARE = """
query Prepare($team: String!, $labels: [String!], $withLabels: Boolean!) {
  team(id: $team) { id }
  issueLabels(first: 50, filter: {name: {in: $labels}}) @include(if: $withLabels) {
    nodes { id isGroup team { id } parent { id } }
  }
}
"""
CREATE = (
    """
mutation Create($input: IssueCreateInput!) {
  issueCreate(input: $input) { success issue { ...Ticket } }
}
"""
    + _ISSUE
)
READ = (
    """
query Read($id: String!) { issue(id: $id) { ...Ticket } }
"""
    + _ISSUE
)
STATES = (
    """
query States($id: String!) {
  issue(id: $id) { ...Ticket team { states(first: 50) { nodes { id name type position } } } }
}
"""
    + _ISSUE
)
MOVE = (
    """
mutation Move($id: String!, $state: String!) {
  issueUpdate(id: $id, input: {stateId: $state}) { success issue { ...Ticket } }
}
"""
    + _ISSUE
)
COMMENT = """
mutation Comment($input: CommentCreateInput!) {
  commentCreate(input: $input) { success comment { id } }
}
"""
READ_COMMENT = """
query ReadComment($id: String!) { comment(id: $id) { id } }
"""
TEAM_STATES = """
query TeamStates($team: String!) {
  team(id: $team) { states(first: 50) { nodes { id name type } } }
}
"""
COMMENTS = """
query Comments($id: String!) {
  issue(id: $id) {
    comments(first: 20, orderBy: createdAt) { nodes { id body createdAt user { displayName } } }
  }
}
"""
LINK = """
mutation Link($input: AttachmentCreateInput!) {
  attachmentCreate(input: $input) { success attachment { id } }
}
"""
EVIDENCE = """
query Evidence($id: String!, $marker: ID!) {
  issue(id: $id) {
    attachments(first: 1, filter: {id: {eq: $marker}}) { nodes { id } }
    comments(first: 1, filter: {id: {eq: $marker}}) { nodes { id } }
  }
}
"""
UPLOAD = """
mutation Upload($name: String!, $type: String!, $size: Int!) {
  fileUpload(filename: $name, contentType: $type, size: $size) {
    success uploadFile { uploadUrl assetUrl headers { key value } }
  }
}
"""
DOCUMENTS = (
    VIEWER,
    TEAM,
    PREPARE,
    CREATE,
    READ,
    STATES,
    MOVE,
    COMMENT,
    READ_COMMENT,
    TEAM_STATES,
    COMMENTS,
    LINK,
    EVIDENCE,
    UPLOAD,
)
