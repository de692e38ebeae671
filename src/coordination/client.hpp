#pragma once

// What a program includes to talk to a daemon.
#include "net/client/client_thread.hpp"
#include "net/client/coordination_client.hpp"
#include "net/client/stoppable_sleep.hpp"
