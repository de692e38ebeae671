#pragma once

// What a program includes to have a daemon within itself.
#include "net/daemon.hpp"
#include "net/manual_clock.hpp"
