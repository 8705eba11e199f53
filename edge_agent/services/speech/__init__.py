"""Speech models of a floor: installed, switched, given words of its own, measured."""
