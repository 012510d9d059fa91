/** The program that runs: a hash of its sources. */
declare const __BUILD__: string;

export const BUILD: string = __BUILD__;
