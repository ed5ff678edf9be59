-- A reconcile request: irsa-operator reads role and OIDC provider again.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["irsa-operator.dev/reconcile-requested-at"] = os.date("!%Y-%m-%dT%XZ")
return obj
