/** The program that runs: a hash of its sources, the same in its service worker and in what the hall serves. */
declare const __BUILD__: string;

export const BUILD: string = __BUILD__;
