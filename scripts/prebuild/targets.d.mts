export interface Target {
  name: string;
  platform: 'linux' | 'darwin' | 'win32';
  arch: 'x64' | 'arm64';
  libc?: 'glibc' | 'musl';
  zig: string;
  cuda?: boolean;
}
export declare const targets: Target[];
export declare function prebuildPath(target: Target): string;
