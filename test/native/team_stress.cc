// Drives ThreadTeam, Barrier and Signal hard enough for the thread sanitizer to see their races; built and run by
// scripts/test-sanitizers.mjs.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.h"
#include "cpu/thread_team.h"

using cudnn_gru::Barrier;
using cudnn_gru::ThreadTeam;

namespace {

// Plain memory, so that work seen too early or too late is a race.
void sharesPlainMemory(ThreadTeam& team, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const int parts = 1 + round % (2 * team.threads());
    std::vector<int> written(parts, -1);
    team.parallelFor(parts, [&](int part) { written[part] = part + round; });
    for (int part = 0; part < parts; ++part) CHECK(written[part] == part + round);
  }
}

// Groups of parts, each with a barrier of its own inside a barrier of all.
void meetsInNestedBarriers(ThreadTeam& team, int steps) {
  const int parts = team.threads(), groups = parts >= 4 ? 2 : 1;
  std::vector<int> sums(parts, 0), next(parts, 0);
  std::vector<std::unique_ptr<Barrier>> barriers;
  for (int group = 0; group < groups; ++group)
    barriers.push_back(std::make_unique<Barrier>((parts - group + groups - 1) / groups));
  Barrier all(parts);
  team.parallelFor(parts, [&](int part) {
    const int group = part % groups;
    for (int step = 0; step < steps; ++step) {
      int sum = 0;
      for (int other = group; other < parts; other += groups) sum += sums[other];
      next[part] = sum % 1000 + 1;
      barriers[group]->wait();
      sums[part] = next[part];
      barriers[group]->wait();
      if (step % 4 == 3) all.wait();
    }
  });
  for (int part = groups; part < parts; ++part) CHECK(sums[part] == sums[part % groups]);
}

void throwsTheFirstException(ThreadTeam& team) {
  const int parts = team.threads();
  std::atomic<int> ran{0};
  int thrown = -1;
  try {
    team.parallelFor(parts, [&](int part) {
      ++ran;
      if (part > 0) throw part;
    });
  } catch (int part) {
    thrown = part;
  }
  CHECK(ran == parts);
  CHECK(thrown == (parts > 1 ? 1 : -1));
}

void resizesAwakeAndAsleep() {
  ThreadTeam team(2);
  for (int round = 0; round < 30; ++round) {
    const int threads = 1 + round * 7 % 9;
    team.resize(threads);
    if (round % 3 != 0) sharesPlainMemory(team, 3);
    // Past the time for which workers stay awake, or at once.
    if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(team.threads() == threads);
    CHECK(team.size() >= 1 && team.size() <= threads);
  }
}

// As worker threads of one process have it; another thread may ask for the number of threads meanwhile.
void worksBesideOtherTeams() {
  std::vector<std::thread> owners;
  for (int i = 0; i < 4; ++i)
    owners.emplace_back([] {
      ThreadTeam team(3);
      std::atomic<bool> stop{false};
      std::thread asker([&] {
        while (!stop) {
          CHECK(team.threads() >= 1);
          std::this_thread::yield();
        }
      });
      for (int round = 0; round < 20; ++round) {
        meetsInNestedBarriers(team, 20);
        team.resize(2 + round % 2);
      }
      stop = true;
      asker.join();
    });
  for (std::thread& owner : owners) owner.join();
}

}  // namespace

int main() {
  for (int threads : {1, 2, 3, 8, 32}) {
    ThreadTeam team(threads);
    sharesPlainMemory(team, 200);
    meetsInNestedBarriers(team, threads > 8 ? 50 : 400);
    throwsTheFirstException(team);
    sharesPlainMemory(team, 20);
  }
  resizesAwakeAndAsleep();
  worksBesideOtherTeams();
  return finish("team");
}
