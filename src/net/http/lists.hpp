#pragma once

#include "net/http/routes.hpp"

namespace coordination {

/// The calls whose answers may be as large as the state. They read it in slices, so that a million tasks
/// neither hold up other callers nor stand in memory twice.
Answer list_workers(const RoutedRequest& request);
Answer list_tasks(const RoutedRequest& request);

/// Everything, as it was at one revision.
Answer whole_state(const RoutedRequest& request);

} // namespace coordination
