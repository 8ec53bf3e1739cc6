#!/usr/bin/env node
// prebuildify calls this in node-gyp's place, as `rebuild --target=… --arch=… --release`; it expects one .node in build/Release.
import { buildNative } from './build-native.mjs';

buildNative();
