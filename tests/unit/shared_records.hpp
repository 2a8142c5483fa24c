#pragma once
// Recordings of real agents and of the Go executor lie beside the repository, not in it.

#include <gtest/gtest.h>

#include <filesystem>

/// First line of a test that reads them.
#define SX_NEEDS_SHARED_RECORDS()                                      \
  if (!std::filesystem::is_directory(SX_SHARED_DIR)) {                 \
    GTEST_SKIP() << "no recordings: " SX_SHARED_DIR " does not exist"; \
  }
