-- wrk: replays the requests of a file, each once: `wrk ... -s replay.lua URL -- FILE [again]`.
-- Each request follows its length in eight digits. With `again` the file starts over at its end.

local file, again

function init(args)
   file = assert(io.open(args[1], "rb"))
   again = args[2] == "again"
end

function request()
   local length = file:read(8)
   if not length and again then
      file:seek("set")
      length = file:read(8)
   end
   if not length then
      wrk.thread:stop()
      return ""
   end
   return file:read(tonumber(length))
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '\n{"answers": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "failed": %d}\n',
      summary.requests, summary.duration / 1e6,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
