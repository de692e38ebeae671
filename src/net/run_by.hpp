#pragma once

namespace coordination {

/// Who runs an io_context. One thread takes one handler after the other, so that every executor is a strand: that
/// spares a queue and a lock for each handler.
enum class RunBy : bool { many_threads, one_thread };

} // namespace coordination
