#include "grid.h"

#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace cuda_emulation {

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace {

constexpr int kWarp = 32;
constexpr size_t kStackBytes = 128 << 10;
constexpr size_t kMostShared = 227 << 10, kWatched = 4 << 10;  // bytes; what follows the block's own is watched
constexpr unsigned char kGarbage = 0xff;                       // NaN as a float, -1 as an int

enum class State { kNotStarted, kRunning, kAtBlockBarrier, kAtWarpBarrier, kReleased, kDone };

// A stack on which threads run: one after the other, until one has to wait. That one keeps it until it is done.
struct Stack {
  ucontext_t context;
  std::unique_ptr<char[]> memory{new char[kStackBytes]};
};

struct Thread {
  uint3 index;
  State state;
  Stack* stack;
  unsigned mask;       // of the warp barrier it waits at
  uint64_t given[2];   // to the other lanes, by turns: the next exchange must not overwrite what is still read
  unsigned exchanges;  // how many it has taken part in
};

// One grid runs at a time in the process (runtime.cc sees to that).
struct Grid {
  const std::function<void()>* kernel;
  std::vector<Thread> threads;
  size_t warpBegin, warpEnd;  // the threads of the warp that runs now
  size_t started;             // how many of them have been
  bool descending;            // the order of threads and warps in this block
  Thread* current;
  ucontext_t scheduler;
  std::vector<std::unique_ptr<Stack>> stacks;
  std::vector<Stack*> idle;
  std::string fault;
  alignas(64) unsigned char shared[kMostShared + kWatched];
};
Grid g;

void setCurrent(Thread* thread) {
  g.current = thread;
  thread->state = State::kRunning;
  threadIdx = thread->index;
}

// The i-th of the warp that runs now, in the order of this block.
Thread& threadOfWarp(size_t i) { return g.threads[g.descending ? g.warpEnd - 1 - i : g.warpBegin + i]; }

Thread* nextThread() { return g.started < g.warpEnd - g.warpBegin ? &threadOfWarp(g.started++) : nullptr; }

// What a stack runs: threads that have not started yet. It is left for good when there are none, and may begin again.
void runThreads(unsigned high, unsigned low) {
  Stack* stack = reinterpret_cast<Stack*>(uint64_t(high) << 32 | low);
  while (true) {
    while (Thread* thread = nextThread()) {
      thread->stack = stack;
      setCurrent(thread);
      (*g.kernel)();
      g.current->state = State::kDone;
    }
    g.idle.push_back(stack);
    swapcontext(&stack->context, &g.scheduler);
  }
}

Stack* newStack() {
  g.stacks.push_back(std::make_unique<Stack>());
  Stack* const stack = g.stacks.back().get();
  const uint64_t address = reinterpret_cast<uint64_t>(stack);
  getcontext(&stack->context);
  stack->context.uc_stack.ss_sp = stack->memory.get();
  stack->context.uc_stack.ss_size = kStackBytes;
  stack->context.uc_link = nullptr;
  makecontext(&stack->context, reinterpret_cast<void (*)()>(runThreads), 2, unsigned(address >> 32), unsigned(address));
  return stack;
}

Stack* idleStack() {
  if (g.idle.empty()) return newStack();
  Stack* stack = g.idle.back();
  g.idle.pop_back();
  return stack;
}

void resume(Stack* stack) { swapcontext(&g.scheduler, &stack->context); }

void waitAt(State barrier) {
  Thread* self = g.current;
  self->state = barrier;
  swapcontext(&self->stack->context, &g.scheduler);
  setCurrent(self);
}

// Lets those of a warp go who wait for each other alone; returns whether anyone may.
bool releaseWarp() {
  bool any = false;
  for (size_t i = g.warpBegin; i < g.warpEnd; ++i) {
    if (g.threads[i].state != State::kAtWarpBarrier) continue;
    const unsigned mask = g.threads[i].mask;
    bool complete = true;
    for (size_t lane = 0; lane < g.warpEnd - g.warpBegin; ++lane) {
      const Thread& other = g.threads[g.warpBegin + lane];
      if (mask >> lane & 1) complete &= other.state == State::kAtWarpBarrier && other.mask == mask;
    }
    if (!complete) continue;
    for (size_t lane = 0; lane < g.warpEnd - g.warpBegin; ++lane)
      if (mask >> lane & 1) g.threads[g.warpBegin + lane].state = State::kReleased;
    any = true;
  }
  return any;
}

// Threads that have ended do not count for the barrier of the block.
bool releaseBlock() {
  bool any = false;
  for (const Thread& thread : g.threads) {
    if (thread.state == State::kAtBlockBarrier)
      any = true;
    else if (thread.state != State::kDone)
      return false;
  }
  for (Thread& thread : g.threads)
    if (thread.state == State::kAtBlockBarrier) thread.state = State::kReleased;
  return any;
}

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + " (block " + std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) + ", " +
                           std::to_string(blockIdx.z) + ")");
}

// The exception of a kernel's thread must not leave its stack: it ends the grid from the scheduler.
void faultInThread(const std::string& what) {
  g.fault = what;
  swapcontext(&g.current->stack->context, &g.scheduler);
}

// Runs one warp as far as it comes without the others.
void runWarp(size_t warp) {
  g.warpBegin = warp * kWarp;
  g.warpEnd = std::min(g.threads.size(), g.warpBegin + kWarp);
  g.started = 0;
  while (g.started < g.warpEnd - g.warpBegin && threadOfWarp(g.started).state != State::kNotStarted) ++g.started;
  do {
    while (g.started < g.warpEnd - g.warpBegin && g.fault.empty()) resume(idleStack());
    for (size_t i = 0; i < g.warpEnd - g.warpBegin && g.fault.empty(); ++i)
      if (threadOfWarp(i).state == State::kReleased) resume(threadOfWarp(i).stack);
    if (!g.fault.empty()) fail(g.fault);
  } while (releaseWarp());
}

void runBlock(size_t sharedBytes) {
  std::memset(g.shared, kGarbage, sharedBytes + kWatched);
  size_t number = 0;
  for (unsigned z = 0; z < blockDim.z; ++z)
    for (unsigned y = 0; y < blockDim.y; ++y)
      for (unsigned x = 0; x < blockDim.x; ++x)
        g.threads[number++] = Thread{{x, y, z}, State::kNotStarted, nullptr, 0, {}, 0};

  const size_t warps = (g.threads.size() + kWarp - 1) / kWarp;
  do {
    for (size_t i = 0; i < warps; ++i) runWarp(g.descending ? warps - 1 - i : i);
  } while (releaseBlock());
  for (const Thread& thread : g.threads)
    if (thread.state != State::kDone) fail("some threads wait at a barrier that others never come to");
  for (size_t i = 0; i < kWatched; ++i)
    if (g.shared[sharedBytes + i] != kGarbage) fail("written past the shared memory");
}

unsigned laneOf(const Thread& thread) { return unsigned(&thread - g.threads.data()) % kWarp; }
// Null for a lane that the last warp of the block lacks.
const Thread* threadOfLane(int lane) {
  const size_t own = size_t(g.current - g.threads.data()), at = own - own % kWarp + size_t(lane);
  return at < g.threads.size() ? &g.threads[at] : nullptr;
}

// After it, what every lane of the mask gave is in given[turn].
unsigned give(unsigned mask, uint64_t value) {
  Thread* self = g.current;
  if (!(mask >> laneOf(*self) & 1)) faultInThread("a warp's function is called by a lane outside its mask");
  const unsigned turn = self->exchanges++ % 2;
  self->given[turn] = value;
  self->mask = mask;
  waitAt(State::kAtWarpBarrier);
  return turn;
}

}  // namespace

int currentLane() { return int(laneOf(*g.current)); }
void* sharedMemory() { return g.shared; }

void syncBlock() { waitAt(State::kAtBlockBarrier); }
void syncWarp(unsigned mask) { give(mask, 0); }

uint64_t exchange(unsigned mask, uint64_t value, int lane) {
  const unsigned turn = give(mask, value);
  const bool takesPart = lane >= 0 && lane < kWarp && mask >> lane & 1;
  const Thread* giver = takesPart ? threadOfLane(lane) : nullptr;
  if (!giver) faultInThread("a value is asked of a lane that takes no part");
  return giver->given[turn];
}

unsigned ballot(unsigned mask, bool predicate) {
  const unsigned turn = give(mask, predicate ? 1 : 0);
  unsigned votes = 0;
  for (int lane = 0; lane < kWarp; ++lane) {
    const Thread* voter = mask >> lane & 1 ? threadOfLane(lane) : nullptr;
    if (voter) votes |= unsigned(voter->given[turn]) << lane;
  }
  return votes;
}

void runGrid(dim3 grid, dim3 block, size_t sharedBytes, const std::function<void()>& kernel) {
  const size_t threads = size_t(block.x) * block.y * block.z;
  if (sharedBytes > kMostShared) throw std::runtime_error("more shared memory than there is");
  gridDim = grid;
  blockDim = block;
  g.kernel = &kernel;
  g.threads.resize(threads);
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = {x, y, z};
        try {
          runBlock(sharedBytes);
        } catch (...) {
          // The stacks of threads that never ended are given up.
          g.stacks.clear();
          g.idle.clear();
          g.fault.clear();
          throw;
        }
        g.descending = !g.descending;
      }
}

}  // namespace cuda_emulation
