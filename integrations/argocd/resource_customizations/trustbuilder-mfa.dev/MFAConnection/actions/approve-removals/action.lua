-- Lets as many held removals go as are asked for. The number has no default: it says that somebody has looked.
local os = require("os")
local number = tonumber(actionParams["number"])
if number == nil or number < 1 or number > 1000 or number % 1 ~= 0 then
  error("number must say how many removals may go, from 1 to 1000", 0)
end
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["trustbuilder-mfa.dev/approve-removals"] = number .. "/argocd-" .. os.date("!%Y-%m-%dT%XZ")
return obj
