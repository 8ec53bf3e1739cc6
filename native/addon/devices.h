#pragma once

#include <napi.h>

namespace cudnn_gru {

// Adds what asks about devices and steers them:
//   openDevice(name) -> number              the device's position, by which every other call names it
//   devices() -> DeviceReport[]             every device of every backend, with the reason where one is missing
//   memoryUse(device) -> { bytesInUse, peakBytes, bytesReserved }
//   releaseCache(device), threads(device) -> number, setThreads(device, threads), calls() -> number
//   gruLayout(device, inputSize, hiddenSize, layers, directions, hasBias) -> [elements, ...offsets] of its parameters
//   mostGruSteps(device) -> the most time steps of one `gru` of the reset-after cell
//   choices(device) -> string[], followChoices(device, string[])   what was measured, and what to follow
//   setErrorClass(CudnnGruError)            the class of every error from here
void exportDevices(Napi::Env env, Napi::Object exports);

}  // namespace cudnn_gru
