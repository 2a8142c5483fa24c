#pragma once
// One look at all executors of a soak.

#include <vector>

namespace sx_bench {

struct SoakSample {
  double at = 0;  ///< seconds since the start
  int executors = 0;
  double pss_mb = 0;        ///< sum of all
  double anonymous_mb = 0;  ///< sum of all
  int descriptors = 0;      ///< sum of all
  int threads = 0;          ///< sum of all
  double rss_max_mb = 0;
  int descriptors_max = 0;
  // Of the control group: executors that live as long as the soak.
  double control_rss_max_mb = 0;
  double control_anonymous_mb = 0;  ///< mean
  double control_descriptors = 0;   ///< mean
};
using SoakSamples = std::vector<SoakSample>;

}  // namespace sx_bench
