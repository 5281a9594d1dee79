"""A model for tests: it doubles numbers, echoes texts, and streams one answer per value."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from mlserver import MLModel
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput


class Doubler(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        if any(tensor.name == "bad" for tensor in payload.inputs):
            raise InferenceError("a tensor is called bad")
        if any(tensor.name == "slow" for tensor in payload.inputs):
            await asyncio.sleep(600)
        return self._response([self._answer(tensor, list(tensor.data)) for tensor in payload.inputs])

    async def predict_stream(self, payloads: AsyncIterator[InferenceRequest]) -> AsyncIterator[InferenceResponse]:
        async for payload in payloads:
            for tensor in payload.inputs:
                for value in list(tensor.data):
                    yield self._response([self._answer(tensor, [value])])

    def _answer(self, tensor: RequestInput, values: list) -> ResponseOutput:
        # Texts come as `str` over REST and as `bytes` over gRPC, and go back as they came.
        texts = tensor.datatype == "BYTES"
        return ResponseOutput(
            name=f"{tensor.name}-out",
            shape=[len(values)],
            datatype=tensor.datatype,
            data=values if texts else [value * 2 for value in values],
        )

    def _response(self, outputs: list[ResponseOutput]) -> InferenceResponse:
        return InferenceResponse(model_name=self.name, model_version="7", outputs=outputs)
