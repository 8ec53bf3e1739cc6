// What `npm run prebuild` makes: one binary for each platform, processor and C library. `name` is the folder in prebuilds/ and
// the libc tag; `zig` the compiler's target triple with the oldest system it must load on; `cuda` says that the CUDA backend is inside.
export const targets = [
  { name: 'linux-x64-glibc', platform: 'linux', arch: 'x64', libc: 'glibc', zig: 'x86_64-linux-gnu.2.28', cuda: true },
  { name: 'linux-x64-musl', platform: 'linux', arch: 'x64', libc: 'musl', zig: 'x86_64-linux-musl' },
  { name: 'linux-arm64-glibc', platform: 'linux', arch: 'arm64', libc: 'glibc', zig: 'aarch64-linux-gnu.2.28' },
  { name: 'linux-arm64-musl', platform: 'linux', arch: 'arm64', libc: 'musl', zig: 'aarch64-linux-musl' },
  { name: 'darwin-arm64', platform: 'darwin', arch: 'arm64', zig: 'aarch64-macos.11.0' },
  { name: 'darwin-x64', platform: 'darwin', arch: 'x64', zig: 'x86_64-macos.11.0' },
  { name: 'win32-x64', platform: 'win32', arch: 'x64', zig: 'x86_64-windows-gnu' },
];

/** Where prebuildify puts a target's binary, and node-gyp-build finds it. */
export function prebuildPath({ platform, arch, libc }) {
  const tags = [arch === 'arm64' && platform === 'linux' ? 'armv8' : undefined, libc].filter(Boolean);
  return `prebuilds/${platform}-${arch}/${['cudnn-gru', ...tags, 'node'].join('.')}`;
}
