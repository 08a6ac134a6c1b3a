-- SPDX-License-Identifier: MIT
-- Trees built and dropped, strings joined, tables of records sorted.
local scale = tonumber(arg[1])

local function tree(depth)
  if depth == 0 then return {} end
  return {left = tree(depth - 1), right = tree(depth - 1)}
end

local function count(node)
  return node.left and 1 + count(node.left) + count(node.right) or 1
end

local nodes, keep = 0, tree(16)
for _ = 1, scale do nodes = nodes + count(tree(13)) end
print("nodes", nodes, count(keep))

local state = 7
local function number() state = (state * 1103515245 + 12345) & 0x7fffffff; return state >> 7 end

local records = {}
for i = 1, scale * 4000 do
  records[i] = {key = number() % 100000, name = "name" .. i, list = {i, i + 1}}
end
table.sort(records, function(a, b) return a.key < b.key or a.key == b.key and a.name < b.name end)
print("sorted", records[1].name, records[#records].name)

local parts, length = {}, 0
for i, record in ipairs(records) do
  parts[#parts + 1] = record.name:rep(1 + i % 5, "-")
  if #parts == 50 then length = length + #table.concat(parts, ","); parts = {} end
end
print("joined", length)
