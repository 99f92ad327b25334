import { createByteStore } from '../../protocol/byte-store.ts';
import { readErrorBody } from '../../protocol/error-body.ts';
import { isRecord, parseJson } from '../../protocol/json.ts';
import { mergeUsage } from '../../protocol/usage-count.ts';
import { type AnswerReader, type AnswerReaderOptions, MAX_READ_BYTES } from './answer-reader.ts';

/** Reads usage, model and error of an answer that is one JSON body. */
export function createJsonAnswer({ countsTokens, onGiveUp }: AnswerReaderOptions): AnswerReader {
  const store = createByteStore();
  return {
    feed(piece) {
      if (store.length() + piece.length > MAX_READ_BYTES) {
        store.take();
        onGiveUp(`a JSON body of more than ${MAX_READ_BYTES} bytes`);
        return;
      }
      store.append(piece, 0, piece.length);
    },
    result() {
      const body = store.take();
      const value = parseJson(body.toString());
      if (value === undefined && body.length > 0) return { unknownEvents: [], torn: true };
      if (!isRecord(value)) return { unknownEvents: [] };
      const tokens = countsTokens ? mergeUsage(undefined, value['usage']) : undefined;
      const error = readErrorBody(value);
      const { model } = value;
      return {
        unknownEvents: [],
        ...(tokens !== undefined && { tokens }),
        ...(typeof model === 'string' && { servedModel: model }),
        ...(error !== null && { error }),
      };
    },
  };
}
