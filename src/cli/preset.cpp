#include "cli/setting.hpp"

namespace coordination::cli {

const std::map<std::string_view, PresetValues>& presets()
{
    static const std::map<std::string_view, PresetValues> all{
        {"development",
         {{"port", "9500"},
          {"ws-port", "9501"},
          {"persistence", "memory-only"},
          {"heartbeat-interval", "5000"},
          {"heartbeat-timeout", "15000"}}},
        {"production",
         {{"port", "9500"},
          {"ws-port", "9501"},
          {"persistence", "periodic-snapshot"},
          {"snapshot-interval", "30000"},
          {"snapshot-path", "./coordination/state-snapshot.json"},
          {"heartbeat-interval", "5000"},
          {"heartbeat-timeout", "15000"},
          {"max-tasks-per-worker", "10"}}},
        {"highAvailability",
         {{"port", "9500"},
          {"ws-port", "9501"},
          {"persistence", "write-ahead-log"},
          {"wal-path", "./coordination/wal.log"},
          {"wal-sync-interval", "1000"},
          {"snapshot-interval", "60000"},
          {"heartbeat-interval", "3000"},
          {"heartbeat-timeout", "10000"},
          {"max-tasks-per-worker", "5"}}},
        {"testing",
         {{"port", "9500"},
          {"ws-port", "9501"},
          {"persistence", "memory-only"},
          {"heartbeat-interval", "1000"},
          {"heartbeat-timeout", "3000"},
          {"max-tasks-per-worker", "5"}}},
    };
    return all;
}

} // namespace coordination::cli
